//! c2p of a tile of queries: R = PK·Qᵀ, `[positions, queries]`, and score (j, i) has element (m, i) with the position m
//! of i − j. A tile computes only the rows of its own positions.

use std::ops::Range;

use super::batch::{Positions, QueryTile};
use super::projection_gradients::{add_rows, product_len};
use crate::attention::cpu::packed_operand::{PackedOperand, multiply};
use crate::cpu::AlignedBuffer;
use crate::cpu::matmul::{Kernel, Matrix};

/// c2p for one head of a sequence. The memory is reused.
#[derive(Default)]
pub(super) struct ContentToPosition {
    projection: PackedOperand,
    transposed_projection: PackedOperand,
    left: PackedOperand,
    right: PackedOperand,
    /// R, and then dR, `[positions, NR]`.
    relative: AlignedBuffer,
    /// dPK, `[positions, width]`.
    dprojection: AlignedBuffer,
}

impl ContentToPosition {
    /// Begins with the rows of PK, `[positions, width]`, for one head of a sequence.
    pub(super) fn begin<K: Kernel>(&mut self, kernel: K, projection: Matrix<'_>) {
        self.projection.pack_left(kernel, projection);
    }

    /// Begins the backward pass.
    pub(super) fn begin_backward<K: Kernel>(&mut self, kernel: K, projection: Matrix<'_>) {
        self.begin(kernel, projection);
        self.transposed_projection.pack_left(kernel, projection.t());
        self.dprojection.floats_mut(product_len::<K>(projection.rows, projection.columns)).fill(0.0);
    }

    /// Adds c2p to a tile of scores, `[keys, queries]`. `queries` is the right operand Qᵀ.
    pub(super) fn add_scores<K: Kernel>(
        &mut self,
        kernel: K,
        queries: &PackedOperand,
        positions: &Positions,
        tile: QueryTile,
        scores: &mut [f32],
    ) {
        let range = range::<K>(positions, tile);
        let relative = self.relative.floats_mut(product_len::<K>(range.len(), K::NR));
        multiply(kernel, self.projection.rows::<K>(&range), queries.all(), false, relative);
        for (key, scores) in scores.chunks_exact_mut(K::NR).enumerate() {
            let positions = positions.each(tile.first, tile.count, key);
            for (i, (score, m)) in scores.iter_mut().zip(positions).enumerate() {
                *score += relative[(m - range.start) * K::NR + i];
            }
        }
    }

    /// Computes dR from a tile of dS, `[keys, queries]`, and dQᵀ += PKᵀ·dR, `[width, NR]`.
    pub(super) fn add_query_gradient<K: Kernel>(
        &mut self,
        kernel: K,
        positions: &Positions,
        tile: QueryTile,
        dscores: &[f32],
        dq: &mut [f32],
    ) {
        let range = range::<K>(positions, tile);
        let drelative = self.relative.floats_mut(range.len() * K::NR);
        drelative.fill(0.0);
        for (key, dscores) in dscores.chunks_exact(K::NR).enumerate() {
            let positions = positions.each(tile.first, tile.count, key);
            for (i, (ds, m)) in dscores.iter().zip(positions).enumerate() {
                drelative[(m - range.start) * K::NR + i] += ds;
            }
        }
        self.right.pack_right(kernel, Matrix::new(drelative, range.len(), K::NR).t());
        multiply(kernel, self.transposed_projection.columns::<K>(&range), self.right.all(), true, dq);
    }

    /// Computes dPK += dR·Q, after [`Self::add_query_gradient`]. `queries` is the right operand Q.
    pub(super) fn add_projection_gradient<K: Kernel>(
        &mut self,
        kernel: K,
        queries: &PackedOperand,
        positions: &Positions,
        tile: QueryTile,
        width: usize,
    ) {
        let (range, stride) = (range::<K>(positions, tile), width.next_multiple_of(K::NR));
        let drelative = self.relative.floats(range.len() * K::NR);
        self.left.pack_left(kernel, Matrix::strided(drelative, range.len(), tile.count, K::NR));
        let dprojection = self.dprojection.floats_mut(product_len::<K>(positions.count, width));
        let dprojection = &mut dprojection[range.start * stride..];
        multiply(kernel, self.left.all(), queries.all(), true, dprojection);
    }

    /// Adds dPK to the sum of some sequences, `[2 · span, width]`.
    pub(super) fn finish_projection_gradient<K: Kernel>(
        &self,
        positions: &Positions,
        width: usize,
        sum: &mut [f32],
    ) {
        add_rows::<K>(sum, width, positions.first, positions.count, &self.dprojection);
    }
}

/// Returns the positions of a tile, counted from the first position of the sequence. The first one begins a panel.
fn range<K: Kernel>(positions: &Positions, tile: QueryTile) -> Range<usize> {
    let range = positions.range(tile.first, tile.count);
    range.start / K::MR * K::MR..range.end
}
