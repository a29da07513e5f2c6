//! The blocks of a product: B packed whole, A packed block by block into the cache of the thread that multiplies it.

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

/// What C is before the product is added.
#[derive(Clone, Copy)]
pub(crate) enum Init<'a> {
    /// 0
    Zero,
    /// One value for each column.
    Bias(&'a [f32]),
    /// What C holds.
    Add,
}

thread_local! {
    static PACKED_A: RefCell<Lines> = RefCell::default();
    static PACKED_B: RefCell<Lines> = RefCell::default();
}

/// C = init + A·B on this thread and, where `threads` is more than 1, on others of the pool.
pub(crate) fn multiply<K: Kernel>(
    kernel: K,
    a: Matrix<'_>,
    b: Matrix<'_>,
    c: MatrixMut<'_>,
    init: Init<'_>,
    threads: usize,
) {
    assert!(a.columns == b.rows && a.rows == c.rows && b.columns == c.columns, "shapes of a product");
    if let Init::Bias(bias) = init {
        assert_eq!(bias.len(), c.columns, "one bias for each column");
    }
    if c.rows == 0 || c.columns == 0 {
        return;
    }
    let mut packed = PACKED_B.take(); // taken, so that a task of this thread that multiplies finds none
    let plan = Plan::<K>::new(kernel, a, b, c, init, threads);
    plan.run(&mut packed);
    PACKED_B.set(packed);
}

struct Plan<'a, K> {
    kernel: K,
    a: Matrix<'a>,
    b: Matrix<'a>,
    c: MatrixMut<'a>,
    init: Init<'a>,
    threads: usize,
    /// Words along k.
    words: usize,
    /// Panels of B.
    panels: usize,
}

impl<'a, K: Kernel> Plan<'a, K> {
    fn new(
        kernel: K,
        a: Matrix<'a>,
        b: Matrix<'a>,
        c: MatrixMut<'a>,
        init: Init<'a>,
        threads: usize,
    ) -> Self {
        let (words, panels) = (a.columns.div_ceil(K::PER_WORD), c.columns.div_ceil(K::NR));
        Self { kernel, a, b, c, init, threads, words, panels }
    }

    /// Ranges of words along k, in order.
    fn depths(&self) -> impl Iterator<Item = Range<usize>> + use<K> {
        let words = self.words;
        let pieces = words.div_ceil(WORDS).max(1);
        (0..pieces).map(move |piece| piece * words / pieces..(piece + 1) * words / pieces)
    }

    /// Packs B, and when that is done multiplies blocks of about equal size, enough of them for the threads.
    fn run(&self, packed_b: &mut Lines) {
        let depths = self.depths().collect::<Vec<_>>();
        let groups = self.panels.div_ceil(PANELS);
        let row_panels = self.c.rows.div_ceil(K::MR);
        let down = self.blocks(row_panels);
        let across = self.threads.div_ceil(down).min(self.panels);
        let packed = Shared(packed_b.words(K::NR * self.words * self.panels).as_mut_ptr());
        let pack = |task: usize| self.pack_b(depths[task / groups].clone(), task % groups * PANELS, packed);
        let multiply = |task: usize| {
            let (i, j) = (task / across, task % across);
            let rows = i * row_panels / down * K::MR..(i + 1) * row_panels / down * K::MR;
            let panels = j * self.panels / across..(j + 1) * self.panels / across;
            self.block(rows.start..rows.end.min(self.c.rows), panels, packed);
        };
        threads::in_two_phases(self.threads, depths.len() * groups, down * across, pack, multiply);
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

    /// Packs a group of panels of one depth, so that rows are read in long pieces. B packed is
    /// `[depth][panel][words of the depth, NR]`.
    fn pack_b(&self, depth: Range<usize>, first: usize, to: Shared) {
        let (words, width) = (depth.len(), K::NR);
        let start = to.at(K::NR * (depth.start * self.panels + words * first));
        let panels = Panels { start, words, width, count: PANELS.min(self.panels - first) };
        // SAFETY: each panel of each depth has its own place.
        unsafe { self.kernel.pack(self.b.t(), first * K::NR, depth.start * K::PER_WORD, panels) };
    }

    fn block(&self, rows: Range<usize>, panels: Range<usize>, packed_b: Shared) {
        let mut packed_a = PACKED_A.take();
        let row_panels = rows.len().div_ceil(K::MR);
        for depth in self.depths() {
            let words = depth.len();
            let packed_a = packed_a.words(row_panels * K::MR * words);
            let k = depth.start * K::PER_WORD;
            // SAFETY: there is room for all panels.
            unsafe {
                let start = packed_a.as_mut_ptr();
                let panels = Panels { start, words, width: K::MR, count: row_panels };
                self.kernel.pack(self.a, rows.start, k, panels);
            }
            for j in panels.clone() {
                let b = packed_b.at(K::NR * (depth.start * self.panels + words * j));
                for i in 0..row_panels {
                    let a = &packed_a[i * K::MR * words..][..K::MR * words];
                    self.tile(rows.start + i * K::MR, j * K::NR, a, b, words, depth.start == 0);
                }
            }
        }
        PACKED_A.set(packed_a);
    }

    fn tile(&self, row: usize, column: usize, a: &[u32], b: *const u32, words: usize, first: bool) {
        let (rows, columns) = (K::MR.min(self.c.rows - row), K::NR.min(self.c.columns - column));
        let whole = rows == K::MR && columns == K::NR;
        let a = a.as_ptr();
        // SAFETY: panels hold `words` positions; a whole tile lies in C, another goes through `edge`.
        unsafe {
            let from = match (first, self.init) {
                (false, _) | (_, Init::Add) => From::Tile,
                (_, Init::Bias(bias)) if whole => From::Row(bias[column..].as_ptr()),
                _ => From::Zero,
            };
            if whole {
                let tile = Tile { from, to: self.c.at(row, column), stride: self.c.row_stride };
                return self.kernel.tile(words, a, b, tile);
            }
            let mut edge = [0f32; MOST_IN_A_TILE];
            assert!(K::MR * K::NR <= MOST_IN_A_TILE);
            let tile = Tile { from: From::Zero, to: edge.as_mut_ptr(), stride: K::NR };
            self.kernel.tile(words, a, b, tile);
            for i in 0..rows {
                for j in 0..columns {
                    let to = self.c.at(row + i, column + j);
                    let start = match (from, self.init) {
                        (From::Tile, _) => *to,
                        (_, Init::Bias(bias)) => bias[column + j],
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

// SAFETY: threads write disjoint places.
unsafe impl Send for Shared {}
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
    use crate::Precision;
    use crate::cpu::simd::{Cpu, WithKernel};

    /// Whole sixteenths: sums of a few hundred products are exact in fp32, and the numbers are bf16.
    fn values(len: usize, salt: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7 + salt * 13) * (i % 11 + 1) % 31) as f32 / 16.0 - 1.0).collect()
    }

    #[derive(Clone, Copy)]
    struct Case<'a> {
        a: Matrix<'a>,
        b: Matrix<'a>,
        init: Init<'a>,
        threads: usize,
        c: &'a [f32],
    }

    impl WithKernel for Case<'_> {
        type Output = Vec<f32>;
        fn run<K: Kernel, S: Simd>(self, kernel: K, _: S) -> Vec<f32> {
            let mut c = self.c.to_vec();
            let to = MatrixMut::new(&mut c, self.a.rows, self.b.columns);
            multiply(kernel, self.a, self.b, to, self.init, self.threads);
            c
        }
    }

    fn truth(case: Case<'_>) -> Vec<f32> {
        // SAFETY: indices are inside the matrices.
        let element = |matrix: &Matrix<'_>, i, j| unsafe { *matrix.at(i, j) };
        let at = |i: usize, j: usize| {
            let start = match case.init {
                Init::Zero => 0.0,
                Init::Bias(bias) => bias[j],
                Init::Add => case.c[i * case.b.columns + j],
            };
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
            let (a, b, c, bias) = (values(m * k, 1), values(k * n, 2), values(m * n, 3), values(n, 4));
            let lefts = [Matrix::new(&a, m, k), Matrix::new(&a, k, m).t()];
            let rights = [Matrix::new(&b, k, n), Matrix::new(&b, n, k).t()];
            for (a, b) in lefts.into_iter().flat_map(|a| rights.map(|b| (a, b))) {
                for init in [Init::Zero, Init::Bias(&bias), Init::Add] {
                    for threads in [1, 2, 7] {
                        let case = Case { a, b, init, threads, c: &c };
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
}
