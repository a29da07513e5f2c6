//! Cache blocking: packs all of B, and A block by block into the cache of the thread that multiplies it.

use std::cell::RefCell;
use std::ops::Range;

use super::kernel::{Kernel, Panels, Tile, TileInit};
use super::matrix::{Matrix, MatrixMut};
use crate::cpu::aligned_buffer::AlignedBuffer;
use crate::cpu::threads;

/// The maximum number of words along k in one pass. It keeps a panel of B in a fast cache.
const MAX_K_WORDS: usize = 384;
/// The number of words of A that a thread packs at a time: half of a 1 MiB L2 cache.
const A_BLOCK_WORDS: usize = 128 * 1024;

/// The number of panels of B in one packing task.
const PANELS_PER_TASK: usize = 4;
/// The number of blocks for each of several threads. More blocks balance the load better ...
const BLOCKS_PER_THREAD: usize = 8;
/// ... but a block keeps at least this many row panels, because each block reads all of B.
const MIN_ROW_PANELS: usize = 12;

thread_local! {
    static PACKED_A: RefCell<AlignedBuffer> = RefCell::default();
    static PACKED_B: RefCell<AlignedBuffer> = RefCell::default();
}

/// Some columns of a product: c = A·B, optionally + bias. B is stored as row blocks.
pub(crate) struct ColumnBlock<'a> {
    /// The row blocks of B, from top to bottom: `[columns of A / number of row blocks, columns of c]` each.
    pub(crate) b: &'a [Matrix<'a>],
    pub(crate) c: MatrixMut<'a>,
    /// One value for each column.
    pub(crate) bias: Option<&'a [f32]>,
}

/// The memory for the packed B.
pub(crate) enum PackedB<'a> {
    /// Packs into scratch memory of this thread, which the next product reuses.
    Scratch,
    /// Packs into a buffer that the caller keeps.
    Buffer(&'a mut AlignedBuffer),
    /// B is already packed, by a product with the same B.
    Ready(&'a AlignedBuffer),
}

/// Multiplies A by each block's B, on this thread and, if `threads` is more than 1, on others of the pool.
///
/// All blocks have the same number of columns. Every element of every `c` is initialized, and none is read
/// before that.
///
/// # Panics
/// If the shapes do not match, or a [`PackedB::Ready`] buffer is too short.
pub(crate) fn multiply<K: Kernel>(
    kernel: K,
    a: Matrix<'_>,
    blocks: &[ColumnBlock<'_>],
    threads: usize,
    packed: PackedB<'_>,
) {
    let [ColumnBlock { b, c, .. }, ..] = blocks else { return };
    let (row_blocks, rows, columns) = (b.len(), b[0].rows, c.columns);
    for ColumnBlock { b, c, bias } in blocks {
        let like_first = |b: &Matrix<'_>| (b.rows, b.columns) == (rows, columns);
        let b_is_valid = b.len() == row_blocks && b.iter().all(like_first) && rows * row_blocks == a.columns;
        assert!(b_is_valid, "the row blocks of B must be equal and match the columns of A");
        assert!((c.rows, c.columns) == (a.rows, columns), "C must have the rows of A and the columns of B");
        assert!(bias.is_none_or(|bias| bias.len() == columns), "the bias must have one value per column");
    }
    if a.rows == 0 || columns == 0 {
        return;
    }
    let plan = Plan { kernel, a, blocks, threads, panels_per_block: columns.div_ceil(K::NR) };
    match packed {
        PackedB::Scratch => {
            let mut scratch = PACKED_B.take(); // a nested product on this thread gets a new buffer
            plan.pack_and_multiply(&mut scratch);
            PACKED_B.set(scratch);
        }
        PackedB::Buffer(buffer) => plan.pack_and_multiply(buffer),
        PackedB::Ready(buffer) => {
            assert!(buffer.capacity() >= plan.packed_words(), "the packed B is too short");
            plan.run(SharedWords(buffer.as_words().as_ptr().cast_mut()), false);
        }
    }
}

/// The operands and the blocking of one call of [`multiply`].
struct Plan<'a, K> {
    kernel: K,
    a: Matrix<'a>,
    blocks: &'a [ColumnBlock<'a>],
    threads: usize,
    panels_per_block: usize,
}

/// A range of words along k that is multiplied in one pass.
#[derive(Clone)]
struct KRange {
    row_block: usize,
    /// The words inside the row block.
    words: Range<usize>,
    /// The number of words before this range, in all row blocks.
    offset: usize,
}

impl<K: Kernel> Plan<'_, K> {
    /// Returns the number of rows of each row block of B.
    fn row_block_rows(&self) -> usize {
        self.blocks[0].b[0].rows
    }

    /// Returns the ranges along k, in order.
    fn k_ranges(&self) -> impl Iterator<Item = KRange> + use<K> {
        let words = K::k_words(self.row_block_rows());
        let (ranges, steps) = (words.div_ceil(MAX_K_WORDS).max(1), words / K::WORDS_PER_STEP);
        let begin = move |range: usize| range * steps / ranges * K::WORDS_PER_STEP;
        (0..self.blocks[0].b.len()).flat_map(move |row_block| {
            (0..ranges).map(move |range| {
                let words_here = begin(range)..begin(range + 1);
                KRange { row_block, offset: row_block * words + words_here.start, words: words_here }
            })
        })
    }

    /// Returns the number of words of the packed B.
    fn packed_words(&self) -> usize {
        let words: usize = self.k_ranges().map(|range| range.words.len()).sum();
        K::NR * words * self.panels()
    }

    fn pack_and_multiply(&self, buffer: &mut AlignedBuffer) {
        let packed = SharedWords(buffer.words_mut(self.packed_words()).as_mut_ptr());
        self.run(packed, true);
    }

    /// Packs B if `pack_first` is set, and then multiplies blocks of about equal size on all threads.
    fn run(&self, packed: SharedWords, pack_first: bool) {
        let ranges = self.k_ranges().collect::<Vec<_>>();
        let groups = self.panels_per_block.div_ceil(PANELS_PER_TASK);
        let pack = |task: usize| {
            let (range, block, group) =
                (task / groups / self.blocks.len(), task / groups % self.blocks.len(), task % groups);
            self.pack_b(&ranges[range], block, group * PANELS_PER_TASK, packed);
        };
        let (row_panels, panels) = (self.a.rows.div_ceil(K::MR), self.panels());
        let down = self.blocks_down(row_panels);
        let across = self.threads.div_ceil(down).min(panels);
        let multiply = |task: usize| {
            let (i, j) = (task / across, task % across);
            let rows = i * row_panels / down * K::MR..(i + 1) * row_panels / down * K::MR;
            let panels = j * panels / across..(j + 1) * panels / across;
            self.multiply_block(rows.start..rows.end.min(self.a.rows), panels, packed);
        };
        let packs = if pack_first { ranges.len() * self.blocks.len() * groups } else { 0 };
        threads::in_two_phases(self.threads, packs, down * across, pack, multiply);
    }

    /// Returns the number of panels of B in all column blocks.
    fn panels(&self) -> usize {
        self.blocks.len() * self.panels_per_block
    }

    /// Returns the number of blocks into which the row panels are divided.
    ///
    /// One thread uses as few blocks as fit into its cache. Several threads use enough to balance the load.
    fn blocks_down(&self, row_panels: usize) -> usize {
        let fewest = row_panels.div_ceil((A_BLOCK_WORDS / MAX_K_WORDS / K::MR).max(1));
        if self.threads == 1 {
            return fewest;
        }
        let most = (row_panels / MIN_ROW_PANELS).min(self.threads * BLOCKS_PER_THREAD);
        fewest.max(most).next_multiple_of(self.threads).min(row_panels)
    }

    /// Packs up to `PANELS_PER_TASK` panels of one column block and k range. A group of panels reads rows of B
    /// in long runs. The packed B is `[k range][column block][panel][words of the k range, NR]`.
    fn pack_b(&self, range: &KRange, block: usize, first_panel: usize, packed: SharedWords) {
        let (k_words, b) = (range.words.len(), self.blocks[block].b[range.row_block]);
        let start = packed.offset(self.panel_offset(range, block * self.panels_per_block + first_panel));
        let count = PANELS_PER_TASK.min(self.panels_per_block - first_panel);
        let panels = Panels { start, k_words, width: K::NR, count };
        // SAFETY: `packed` has `packed_words` words, and the caller of `run` has a mutable borrow of them.
        // `panel_offset` gives each panel of each k range its own `NR · k_words` words of these. The
        // panels of one column block and k range are adjacent. Each group of panels is one task of the first
        // phase, and the second phase starts after the first. So no other thread accesses these words. The
        // width is NR. `first_panel · NR` is below the columns of B, and the words of the range are inside B's
        // rows, rounded up to a complete word.
        unsafe {
            self.kernel.pack_right(
                b.t(),
                first_panel * K::NR,
                range.words.start * K::ELEMENTS_PER_WORD,
                panels,
            )
        };
    }

    /// Returns the offset of a panel's words of a k range in the packed B.
    fn panel_offset(&self, range: &KRange, panel: usize) -> usize {
        K::NR * (range.offset * self.panels() + range.words.len() * panel)
    }

    fn multiply_block(&self, rows: Range<usize>, panels: Range<usize>, packed_b: SharedWords) {
        let mut packed_a = PACKED_A.take();
        let row_panels = rows.len().div_ceil(K::MR);
        self.kernel.begin();
        for range in self.k_ranges() {
            let k_words = range.words.len();
            let packed_a = packed_a.words_mut(row_panels * K::MR * k_words);
            let a = self.a.columns(range.row_block * self.row_block_rows(), self.row_block_rows());
            let start = packed_a.as_mut_ptr();
            let a_panels = Panels { start, k_words, width: K::MR, count: row_panels };
            // SAFETY: `packed_a` has `row_panels · MR · k_words` words and is borrowed mutably by this thread.
            // The width is MR. `rows.start` is a row of A, and the words of the range are inside the columns
            // of `a`, rounded up to a complete word.
            unsafe {
                self.kernel.pack_left(a, rows.start, range.words.start * K::ELEMENTS_PER_WORD, a_panels)
            };
            for j in panels.clone() {
                let b = packed_b.offset(self.panel_offset(&range, j));
                let (block, column) =
                    (&self.blocks[j / self.panels_per_block], j % self.panels_per_block * K::NR);
                for i in 0..row_panels {
                    let a = &packed_a[i * K::MR * k_words..][..K::MR * k_words];
                    self.multiply_tile(
                        block,
                        [rows.start + i * K::MR, column],
                        a,
                        b,
                        k_words,
                        range.offset == 0,
                    );
                }
            }
        }
        PACKED_A.set(packed_a);
    }

    /// Multiplies two panels and writes one tile of C. The first k range initializes the tile, and the others
    /// add to it.
    fn multiply_tile(
        &self,
        ColumnBlock { c, bias, .. }: &ColumnBlock<'_>,
        [row, column]: [usize; 2],
        a: &[u32],
        b: *const u32,
        k_words: usize,
        is_first: bool,
    ) {
        let (rows, columns) = (K::MR.min(c.rows - row), K::NR.min(c.columns - column));
        let is_complete = rows == K::MR && columns == K::NR;
        let a = a.as_ptr();
        // SAFETY: `a` has `MR · k_words` words, which this task has packed. `b` points to `NR · k_words` words,
        // which the first phase or an earlier product has packed. Both are in an `AlignedBuffer`, whose words
        // are always initialized.
        //
        // Only this task accesses the elements of C in its rows and panels: the tasks of the second phase
        // divide the row panels and the panels of B among them, and each `MatrixMut` has its own memory. A
        // complete tile is inside C, and so is each element that is written below for an incomplete one.
        // `edge` has room for MR · NR numbers, as asserted, and is local. `multiply_block` has called `begin`.
        //
        // C is read only if `is_first` is false. Then this task has already written the same elements for the
        // first k range. `bias` has one value for each column of C, so a complete tile has NR values from
        // `column` on.
        unsafe {
            let init = match bias {
                _ if !is_first => TileInit::Current,
                Some(bias) if is_complete => TileInit::Bias(bias[column..].as_ptr()),
                _ => TileInit::Zero,
            };
            if is_complete {
                let tile = Tile { init, start: c.ptr(row, column), row_stride: c.row_stride };
                return self.kernel.multiply_panels(k_words, a, b, tile);
            }
            let mut edge = Edge([0.0; MAX_TILE_ELEMENTS]);
            assert!(K::MR * K::NR <= MAX_TILE_ELEMENTS);
            let inside = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
            for (i, j) in inside.clone() {
                edge.0[i * K::NR + j] = match (init, bias) {
                    (TileInit::Current, _) => *c.ptr(row + i, column + j),
                    (_, Some(bias)) => bias[column + j],
                    _ => 0.0,
                };
            }
            let tile = Tile { init: TileInit::Current, start: edge.0.as_mut_ptr(), row_stride: K::NR };
            self.kernel.multiply_panels(k_words, a, b, tile);
            for (i, j) in inside {
                *c.ptr(row + i, column + j) = edge.0[i * K::NR + j];
            }
        }
    }
}

/// An incomplete tile at the edge of C.
#[repr(align(64))]
struct Edge([f32; MAX_TILE_ELEMENTS]);

/// The maximum number of elements of a kernel's tile.
const MAX_TILE_ELEMENTS: usize = 16 * 64;

/// A pointer to the words of the packed B, which all threads share.
#[derive(Clone, Copy)]
struct SharedWords(*mut u32);

// SAFETY: the words belong to an `AlignedBuffer` that is borrowed until the product ends. In the first phase
// each task writes only the words of its own panels. The second phase only reads. It starts after the first:
// the counter in `in_two_phases` orders the writes before the reads.
// With `PackedB::Ready` there is no first phase, so shared memory is never written.
unsafe impl Send for SharedWords {}
// SAFETY: a shared `SharedWords` gives out the same pointer as a copy, so the argument for `Send` applies.
unsafe impl Sync for SharedWords {}

impl SharedWords {
    fn offset(self, words: usize) -> *mut u32 {
        self.0.wrapping_add(words)
    }
}
