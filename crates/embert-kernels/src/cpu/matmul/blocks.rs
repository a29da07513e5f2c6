//! Cache blocking: B is packed completely, A block by block into the cache of the thread that multiplies it.

use std::cell::RefCell;
use std::ops::Range;

use super::kernel::{From, Kernel, Panels, Tile};
use super::matrix::{Matrix, MatrixMut};
use crate::cpu::lines::Lines;
use crate::cpu::threads;

/// Words along k that are multiplied in one go: a panel of B of this length fits the first cache.
const WORDS: usize = 384;
/// Words of A that one thread packs at a time: half of a second-level cache of 1 MiB.
const BLOCK: usize = 128 * 1024;

/// Panels of B that are packed in one go.
const PANELS: usize = 4;
/// Blocks for each of several threads, so that none waits long for another ...
const BLOCKS_PER_THREAD: usize = 8;
/// ... where a block keeps so many row panels, for each of which it reads all of B once less.
const LEAST_ROW_PANELS: usize = 12;

thread_local! {
    static PACKED_A: RefCell<Lines> = RefCell::default();
    static PACKED_B: RefCell<Lines> = RefCell::default();
}

/// Some columns of a product: c = A·B, + bias, with B in pieces, one below the other.
pub(crate) struct Part<'a> {
    /// Of equal size: `[columns of A / pieces, columns of c]` each.
    pub(crate) b: &'a [Matrix<'a>],
    pub(crate) c: MatrixMut<'a>,
    /// One value for each column.
    pub(crate) bias: Option<&'a [f32]>,
}

/// Where B is packed.
pub(crate) enum Packed<'a> {
    /// Into memory of this thread, which the next product takes.
    Scratch,
    /// Into memory that is kept.
    New(&'a mut Lines),
    /// It is already there, from a product of the same B.
    There(&'a Lines),
}

/// A times the parts' B, on this thread and, if `threads` is more than 1, on others of the pool. The parts have the same
/// number of columns. Every element of every `c` is overwritten, and none is read before it was written.
pub(crate) fn multiply<K: Kernel>(
    kernel: K,
    a: Matrix<'_>,
    parts: &[Part<'_>],
    threads: usize,
    packed: Packed<'_>,
) {
    let [Part { b, c, .. }, ..] = parts else { return };
    let (pieces, rows, columns) = (b.len(), b[0].rows, c.columns);
    for Part { b, c, bias } in parts {
        let like_first = |b: &Matrix<'_>| (b.rows, b.columns) == (rows, columns);
        assert!(b.len() == pieces && b.iter().all(like_first) && rows * pieces == a.columns, "pieces of B");
        assert!((c.rows, c.columns) == (a.rows, columns), "the shape of a product");
        assert!(bias.is_none_or(|bias| bias.len() == columns), "one bias for each column");
    }
    if a.rows == 0 || columns == 0 {
        return;
    }
    let plan = Plan { kernel, a, parts, threads, panels: columns.div_ceil(K::NR) };
    match packed {
        Packed::Scratch => {
            let mut scratch = PACKED_B.take(); // taken, so that a task of this thread that multiplies finds none
            plan.pack_and_multiply(&mut scratch);
            PACKED_B.set(scratch);
        }
        Packed::New(lines) => plan.pack_and_multiply(lines),
        Packed::There(lines) => {
            assert!(lines.capacity() >= plan.packed_words(), "B was packed for this product");
            plan.run(Shared(lines.as_words().as_ptr().cast_mut()), false);
        }
    }
}

struct Plan<'a, K> {
    kernel: K,
    a: Matrix<'a>,
    parts: &'a [Part<'a>],
    threads: usize,
    /// Panels of each part.
    panels: usize,
}

/// A range of words along k that are multiplied in one go.
#[derive(Clone)]
struct Depth {
    piece: usize,
    /// Words of the piece.
    words: Range<usize>,
    /// Words of all pieces before it.
    before: usize,
}

impl<K: Kernel> Plan<'_, K> {
    /// Rows of a piece of B.
    fn piece_rows(&self) -> usize {
        self.parts[0].b[0].rows
    }

    /// In order.
    fn depths(&self) -> impl Iterator<Item = Depth> + use<K> {
        let words = self.piece_rows().div_ceil(K::PER_WORD);
        let ranges = words.div_ceil(WORDS).max(1);
        (0..self.parts[0].b.len()).flat_map(move |piece| {
            (0..ranges).map(move |range| {
                let words_here = range * words / ranges..(range + 1) * words / ranges;
                Depth { piece, before: piece * words + words_here.start, words: words_here }
            })
        })
    }

    /// Words of B, packed.
    fn packed_words(&self) -> usize {
        let words: usize = self.depths().map(|depth| depth.words.len()).sum();
        K::NR * words * self.all_panels()
    }

    fn pack_and_multiply(&self, to: &mut Lines) {
        let packed = Shared(to.words(self.packed_words()).as_mut_ptr());
        self.run(packed, true);
    }

    /// Packs B if it is not packed yet, and then multiplies blocks of about equal size, enough of them for the threads.
    fn run(&self, packed: Shared, pack_first: bool) {
        let depths = self.depths().collect::<Vec<_>>();
        let groups = self.panels.div_ceil(PANELS);
        let pack = |task: usize| {
            let (depth, part, group) =
                (task / groups / self.parts.len(), task / groups % self.parts.len(), task % groups);
            self.pack_b(&depths[depth], part, group * PANELS, packed);
        };
        let (row_panels, panels) = (self.a.rows.div_ceil(K::MR), self.all_panels());
        let down = self.blocks(row_panels);
        let across = self.threads.div_ceil(down).min(panels);
        let multiply = |task: usize| {
            let (i, j) = (task / across, task % across);
            let rows = i * row_panels / down * K::MR..(i + 1) * row_panels / down * K::MR;
            let panels = j * panels / across..(j + 1) * panels / across;
            self.block(rows.start..rows.end.min(self.a.rows), panels, packed);
        };
        let packs = if pack_first { depths.len() * self.parts.len() * groups } else { 0 };
        threads::in_two_phases(self.threads, packs, down * across, pack, multiply);
    }

    /// Panels of all parts.
    fn all_panels(&self) -> usize {
        self.parts.len() * self.panels
    }

    /// How many blocks so many row panels make: as few as fit the cache on one thread, on several enough to share out.
    fn blocks(&self, row_panels: usize) -> usize {
        let fewest = row_panels.div_ceil((BLOCK / WORDS / K::MR).max(1));
        if self.threads == 1 {
            return fewest;
        }
        let most = (row_panels / LEAST_ROW_PANELS).min(self.threads * BLOCKS_PER_THREAD);
        fewest.max(most).next_multiple_of(self.threads).min(row_panels)
    }

    /// Packs a group of panels of one part and depth, so that rows are read in long pieces. B packed is
    /// `[depth][part][panel][words of the depth, NR]`.
    fn pack_b(&self, depth: &Depth, part: usize, first: usize, to: Shared) {
        let (words, b) = (depth.words.len(), self.parts[part].b[depth.piece]);
        let start = to.at(self.place_of(depth, part * self.panels + first));
        let panels = Panels { start, words, width: K::NR, count: PANELS.min(self.panels - first) };
        // SAFETY: `place_of` gives each panel of each depth its own `NR · words` words of the `packed_words` that `to` has,
        // and each group is one task, so no other thread writes there; `K` exists only where the processor has its
        // instructions.
        unsafe { self.kernel.pack(b.t(), first * K::NR, depth.words.start * K::PER_WORD, panels) };
    }

    /// Where a panel's words of a depth begin.
    fn place_of(&self, depth: &Depth, panel: usize) -> usize {
        K::NR * (depth.before * self.all_panels() + depth.words.len() * panel)
    }

    fn block(&self, rows: Range<usize>, panels: Range<usize>, packed_b: Shared) {
        let mut packed_a = PACKED_A.take();
        let row_panels = rows.len().div_ceil(K::MR);
        for depth in self.depths() {
            let words = depth.words.len();
            let packed_a = packed_a.words(row_panels * K::MR * words);
            let a = self.a.columns(depth.piece * self.piece_rows(), self.piece_rows());
            let start = packed_a.as_mut_ptr();
            let to = Panels { start, words, width: K::MR, count: row_panels };
            // SAFETY: `packed_a` has `row_panels` panels of MR lanes and `words` words each; `K` exists only where the
            // processor has its instructions.
            unsafe { self.kernel.pack(a, rows.start, depth.words.start * K::PER_WORD, to) };
            for j in panels.clone() {
                let b = packed_b.at(self.place_of(&depth, j));
                let (part, column) = (&self.parts[j / self.panels], j % self.panels * K::NR);
                for i in 0..row_panels {
                    let a = &packed_a[i * K::MR * words..][..K::MR * words];
                    self.tile(part, [rows.start + i * K::MR, column], a, b, words, depth.before == 0);
                }
            }
        }
        PACKED_A.set(packed_a);
    }

    fn tile(
        &self,
        Part { c, bias, .. }: &Part<'_>,
        [row, column]: [usize; 2],
        a: &[u32],
        b: *const u32,
        words: usize,
        first: bool,
    ) {
        let (rows, columns) = (K::MR.min(c.rows - row), K::NR.min(c.columns - column));
        let whole = rows == K::MR && columns == K::NR;
        let a = a.as_ptr();
        // SAFETY: `a` and `b` are panels of `words` words that this task has packed, or the first phase of tasks. A complete
        // tile lies in C, of which this task alone has these rows and panels; an incomplete one goes through `edge`. C is
        // read (`From::Tile`) only after the first depth, in which this task has written the same tile.
        unsafe {
            let from = match bias {
                _ if !first => From::Tile,
                Some(bias) if whole => From::Row(bias[column..].as_ptr()),
                _ => From::Zero,
            };
            if whole {
                let tile = Tile { from, to: c.at(row, column), stride: c.row_stride };
                return self.kernel.tile(words, a, b, tile);
            }
            let mut edge = [0f32; MOST_IN_A_TILE];
            assert!(K::MR * K::NR <= MOST_IN_A_TILE);
            let tile = Tile { from: From::Zero, to: edge.as_mut_ptr(), stride: K::NR };
            self.kernel.tile(words, a, b, tile);
            for i in 0..rows {
                for j in 0..columns {
                    let to = c.at(row + i, column + j);
                    let start = match (from, bias) {
                        (From::Tile, _) => *to,
                        (_, Some(bias)) => bias[column + j],
                        _ => 0.0,
                    };
                    *to = start + edge[i * K::NR + j];
                }
            }
        }
    }
}

/// The most elements that a kernel's tile has.
const MOST_IN_A_TILE: usize = 16 * 64;

#[derive(Clone, Copy)]
struct Shared(*mut u32);

// SAFETY: the words belong to a `Lines` that outlives the product. Each task of the first phase writes the places of its
// own panels; the second phase, which begins when the first is done, only reads.
unsafe impl Send for Shared {}
// SAFETY: as for `Send`.
unsafe impl Sync for Shared {}

impl Shared {
    fn at(self, offset: usize) -> *mut u32 {
        self.0.wrapping_add(offset)
    }
}

#[cfg(test)]
mod tests {
    use pulp::Simd;

    use super::*;
    use crate::cpu::simd::{Cpu, WithKernel};
    use crate::cpu::uninit::Uninit;
    use crate::precision::Precision;

    /// Whole sixteenths: sums of a few hundred products are exact in fp32, and the numbers are bf16.
    fn values(len: usize, salt: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7 + salt * 13) * (i % 11 + 1) % 31) as f32 / 16.0 - 1.0).collect()
    }

    #[derive(Clone, Copy)]
    struct Case<'a> {
        a: Matrix<'a>,
        b: Matrix<'a>,
        bias: Option<&'a [f32]>,
        threads: usize,
    }

    impl WithKernel for Case<'_> {
        type Output = Vec<f32>;
        fn run<K: Kernel, S: Simd>(self, kernel: K, _: S) -> Vec<f32> {
            let mut c = Uninit::new(self.a.rows * self.b.columns);
            let to = MatrixMut::new(c.slots(), self.a.rows, self.b.columns);
            let parts = [Part { b: &[self.b], c: to, bias: self.bias }];
            let mut kept = Lines::default();
            for packed in 0..3 {
                let packed = match packed {
                    0 => Packed::Scratch,
                    1 => Packed::New(&mut kept),
                    _ => Packed::There(&kept),
                };
                multiply(kernel, self.a, &parts, self.threads, packed);
            }
            // SAFETY: a test's buffer starts as NaN.
            unsafe { c.assume_init() }
        }
    }

    fn truth(case: Case<'_>) -> Vec<f32> {
        // SAFETY: the indices are those of the matrix, which borrows initialized numbers.
        let element = |matrix: &Matrix<'_>, i, j| unsafe { *matrix.at(i, j) };
        let at = |i: usize, j: usize| {
            let start = case.bias.map_or(0.0, |bias| bias[j]);
            (0..case.a.columns).fold(start, |sum, k| sum + element(&case.a, i, k) * element(&case.b, k, j))
        };
        (0..case.a.rows)
            .flat_map(|i| (0..case.b.columns).map(move |j| (i, j)))
            .map(|(i, j)| at(i, j))
            .collect()
    }

    #[test]
    fn every_kernel_multiplies_every_shape_exactly() {
        for [m, k, n] in
            [[1, 1, 1], [3, 2, 5], [8, 16, 48], [13, 33, 49], [50, 31, 17], [9, 900, 97], [130, 64, 144]]
        {
            let (a, b, bias) = (values(m * k, 1), values(k * n, 2), values(n, 3));
            let lefts = [Matrix::new(&a, m, k), Matrix::new(&a, k, m).t()];
            let rights = [Matrix::new(&b, k, n), Matrix::new(&b, n, k).t()];
            for (a, b) in lefts.into_iter().flat_map(|a| rights.map(|b| (a, b))) {
                for bias in [None, Some(&*bias)] {
                    for threads in [1, 2, 7] {
                        let case = Case { a, b, bias, threads };
                        let expected = truth(case);
                        for precision in [Precision::Fp32, Precision::Bf16] {
                            for cpu in Cpu::all(precision) {
                                assert_eq!(cpu.wide(case), expected, "{m}x{k}x{n}, wide tile");
                                assert_eq!(cpu.narrow(case), expected, "{m}x{k}x{n}, narrow tile");
                            }
                        }
                    }
                }
            }
        }
    }

    /// Two parts side by side, of pieces below each other.
    struct Parts<'a> {
        a: Matrix<'a>,
        b: [[Matrix<'a>; 3]; 2],
        bias: &'a [f32],
        threads: usize,
    }

    impl WithKernel for Parts<'_> {
        type Output = [Vec<f32>; 2];
        fn run<K: Kernel, S: Simd>(self, kernel: K, _: S) -> Self::Output {
            let (rows, columns) = (self.a.rows, self.bias.len());
            let mut c = [0; 2].map(|_| Uninit::new(rows * columns));
            let [first, second] = c.each_mut().map(|c| MatrixMut::new(c.slots(), rows, columns));
            let parts = [
                Part { b: &self.b[0], c: first, bias: None },
                Part { b: &self.b[1], c: second, bias: Some(self.bias) },
            ];
            multiply(kernel, self.a, &parts, self.threads, Packed::Scratch);
            // SAFETY: a test's buffers start as NaN.
            c.map(|c| unsafe { c.assume_init() })
        }
    }

    #[test]
    fn parts_and_pieces_are_one_product() {
        for [m, k, n] in [[5, 3, 7], [70, 17, 50], [130, 450, 48]] {
            let (a, b, bias) = (values(m * 3 * k, 1), values(6 * k * n, 2), values(n, 3));
            let a = Matrix::new(&a, m, 3 * k);
            let piece = |i: usize| Matrix::new(&b[i * k * n..(i + 1) * k * n], k, n);
            let pieces = [[piece(0), piece(1), piece(2)], [piece(3), piece(4), piece(5)]];
            let expected = [0, 1].map(|part| {
                let b = Matrix::new(&b[part * 3 * k * n..(part + 1) * 3 * k * n], 3 * k, n);
                truth(Case { a, b, bias: [None, Some(&*bias)][part], threads: 1 })
            });
            for precision in [Precision::Fp32, Precision::Bf16] {
                for (cpu, threads) in Cpu::all(precision).into_iter().flat_map(|cpu| [(cpu, 1), (cpu, 3)]) {
                    let case = || Parts { a, b: pieces, bias: &bias, threads };
                    assert_eq!(cpu.wide(case()), expected, "{m}x{k}x{n}");
                    assert_eq!(cpu.narrow(case()), expected, "{m}x{k}x{n}, narrow tile");
                }
            }
        }
    }
}
