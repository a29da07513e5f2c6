//! The inputs of a batch, and the rows of the relative embeddings that a sequence uses.

use std::ops::Range;

use crate::attention::cpu::heads::{HeadTask, Heads};
use crate::attention::cpu::inputs::Inputs;
use crate::cpu::matmul::Matrix;
use crate::disentangled_attention::RelativeProjections;

/// The settings of the operation, and the rows of all distances.
pub(super) struct Settings {
    pub(super) heads: Heads,
    /// The scale of the scores.
    pub(super) scale: f32,
    /// The number of relative embeddings, 2 · span.
    pub(super) num_positions: usize,
    /// The row of each distance from -(longest - 1) to longest - 1.
    rows: Vec<usize>,
}

impl Settings {
    pub(super) fn new(heads: Heads, relative: &RelativeProjections) -> Self {
        let longest = heads.layout.longest() as isize;
        let rows = (1 - longest..longest).map(|distance| relative.positions.row(distance)).collect();
        let scale = relative.scale(heads.width) as f32;
        Self { heads, scale, num_positions: 2 * relative.positions.span(), rows }
    }

    /// Returns the positions of a sequence of this length.
    pub(super) fn positions(&self, length: usize) -> Positions {
        let distances = (2 * length).saturating_sub(1);
        let rows = &self.rows[(self.rows.len() - distances) / 2..][..distances];
        let first = rows.first().copied().unwrap_or(0);
        let count = rows.last().map_or(0, |last| last + 1 - first);
        let is_next = |pair: &[usize]| pair[1] == pair[0] + 1;
        let middle = distances / 2;
        let before = rows[..(middle + 1).min(distances)].windows(2).rev().take_while(|pair| is_next(pair));
        let after = rows[middle..].windows(2).take_while(|pair| is_next(pair));
        let consecutive = middle - before.count()..middle + after.count() + 1;
        let offsets = rows.iter().map(|row| row - first).collect();
        Positions { first, count, length, offsets, consecutive }
    }
}

/// The inputs of the operation.
pub(super) struct Batch<'a> {
    pub(super) settings: &'a Settings,
    pub(super) inputs: Inputs<'a>,
    /// The key projection of the relative embeddings, `[2 · span, hidden]`, if the scores have c2p.
    pub(super) relative_key: Option<&'a [f32]>,
    /// The query projection of the relative embeddings, `[2 · span, hidden]`, if the scores have p2c.
    pub(super) relative_query: Option<&'a [f32]>,
}

impl<'a> Batch<'a> {
    /// Returns the rows of the key and the query projection for one head of a sequence, `[positions, width]`.
    pub(super) fn projections(&self, task: HeadTask, positions: &Positions) -> [Option<Matrix<'a>>; 2] {
        let Heads { width, .. } = self.settings.heads;
        let hidden = self.settings.heads.hidden();
        let start = positions.first * hidden + task.head * width;
        let rows =
            |projection: &'a [f32]| Matrix::strided(&projection[start..], positions.count, width, hidden);
        [self.relative_key, self.relative_query].map(|projection| projection.map(rows))
    }
}

/// The positions of a sequence: a range of rows of the relative embeddings.
pub(super) struct Positions {
    /// The first row.
    pub(super) first: usize,
    /// The number of rows.
    pub(super) count: usize,
    length: usize,
    /// The row of each distance from -(length - 1) to length - 1, counted from the first row of the range.
    offsets: Vec<usize>,
    /// The elements of `offsets` that are consecutive numbers.
    consecutive: Range<usize>,
}

/// The positions of some queries and one key.
pub(super) enum Offsets<'a> {
    /// Consecutive positions from this one on.
    From(usize),
    /// Any positions, in ascending order.
    Each(&'a [usize]),
}

impl Positions {
    /// Returns the positions of `count` queries from `first` on, and of this key.
    pub(super) fn each(&self, first: usize, count: usize, key: usize) -> &[usize] {
        &self.offsets[first + self.length - 1 - key..][..count]
    }

    /// Returns the positions of `count` queries from `first` on, and of all keys.
    pub(super) fn range(&self, first: usize, count: usize) -> Range<usize> {
        let [from, to] = [(first, self.length - 1), (first + count - 1, 0)];
        let [from, to] = [from, to].map(|(query, key)| self.each(query, 1, key)[0]);
        from..to + 1
    }

    /// Like [`Self::each`], but tells consecutive positions from others.
    pub(super) fn of(&self, first: usize, count: usize, key: usize) -> Offsets<'_> {
        let (start, each) = (first + self.length - 1 - key, self.each(first, count, key));
        let is_consecutive = self.consecutive.start <= start && start + count <= self.consecutive.end;
        if is_consecutive { Offsets::From(each[0]) } else { Offsets::Each(each) }
    }
}

/// A tile of queries of a sequence: `count` queries from `first` on, in rows of `stride` numbers.
#[derive(Clone, Copy)]
pub(super) struct QueryTile {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) stride: usize,
}
