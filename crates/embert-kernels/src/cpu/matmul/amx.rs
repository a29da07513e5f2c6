//! The bf16 microkernel of processors with AMX: a tile `[32, 32]`, in four registers of 16 × 16 numbers.
//!
//! One instruction multiplies `[16 rows, 16 words]` of A by `[16 words, 16 columns]` of B: 8,192 multiply-adds. The
//! instructions are written in assembly, because Rust has no stable functions for them.

#![cfg(target_arch = "x86_64")]

use std::arch::asm;
use std::arch::x86_64::*;
use std::sync::LazyLock;

use super::bf16::{RoundedToBf16, pack};
use super::kernel::{Kernel, Panels, Tile, TileInit};
use super::matrix::Matrix;
use super::pack::pack_tiles;

/// The rows, columns and words of a tile register.
const SIDE: usize = 16;

/// The kernel. A value exists only if the processor has the instructions and the system permits them.
#[derive(Clone, Copy)]
pub(crate) struct Amx(());

impl Amx {
    /// Returns the kernel if the processor has the instructions and the system permits them.
    pub(crate) fn detect() -> Option<Self> {
        static FOUND: LazyLock<bool> = LazyLock::new(|| is_supported() && is_permitted());
        FOUND.then_some(Self(()))
    }
}

/// Returns `true` if the processor has AMX-TILE, AMX-BF16, and the instructions that pack.
fn is_supported() -> bool {
    const BF16_AND_TILE: u32 = 1 << 22 | 1 << 24;
    let packs = super::Bf16::<8, 2>::detect().is_some();
    packs && __cpuid_count(7, 0).edx & BF16_AND_TILE == BF16_AND_TILE
}

/// Asks Linux for the tile registers, for all threads of this process. Returns `true` if it permits them. Other systems
/// are not supported.
fn is_permitted() -> bool {
    #[cfg(target_os = "linux")]
    {
        const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
        const TILE_DATA: libc::c_long = 18;
        // SAFETY: this system call takes two integers, and accesses no memory of this process.
        unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0 }
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// The shape of each tile register, as the processor reads it.
#[repr(C, align(64))]
struct TileShapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_per_row: [u16; 16],
    rows: [u8; 16],
}

/// Eight registers of 16 rows of 16 words.
static TILE_SHAPES: TileShapes = TileShapes {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    bytes_per_row: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// A row of a tile, for products that begin with zero.
#[repr(align(64))]
struct ZeroRow([f32; 2 * SIDE]);

static ZEROS: ZeroRow = ZeroRow([0.0; 2 * SIDE]);

impl Kernel for Amx {
    const MR: usize = 2 * SIDE;
    const NR: usize = 2 * SIDE;
    const ELEMENTS_PER_WORD: usize = 2;
    const WORDS_PER_STEP: usize = SIDE;

    /// # Safety
    /// The requirements of [`Kernel::pack_left`].
    unsafe fn pack_left(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
        // SAFETY: the caller guarantees the requirements of `Kernel::pack_left`. Only `detect` creates a `Self`,
        // after it found the instructions.
        unsafe { pack_left(source, row, k, panels) }
    }

    /// # Safety
    /// The requirements of [`Kernel::pack_right`].
    unsafe fn pack_right(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
        // SAFETY: the caller guarantees the requirements of `Kernel::pack_right`. Only `detect` creates a `Self`,
        // after it found the instructions. The width of the panels is NR, a multiple of 16.
        unsafe { pack(source, row, k, panels) }
    }

    fn begin(self) {
        // SAFETY: `TILE_SHAPES` has the 64 bytes that the instruction reads, with a valid palette and shapes. Only
        // `detect` creates a `Self`, after the system has permitted the registers. The compiler uses none of them.
        unsafe {
            asm!(
                "ldtilecfg [{shapes}]", shapes = in(reg) &raw const TILE_SHAPES,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack, readonly, preserves_flags),
            );
        }
    }

    /// # Safety
    /// The requirements of [`Kernel::multiply_panels`].
    unsafe fn multiply_panels(self, k_words: usize, a: *const u32, b: *const u32, tile: Tile) {
        let (init, init_stride) = match tile.init {
            TileInit::Zero => (ZEROS.0.as_ptr(), 0),
            TileInit::Bias(bias) => (bias, 0),
            TileInit::Current => (tile.start.cast_const(), 4 * tile.row_stride),
        };
        // SAFETY: `begin` has given each tile register 16 rows of 64 bytes on this thread. A load or a store accesses
        // 64 bytes of 16 rows, which are a stride apart; it needs no alignment. The panels have `k_words / 16` steps
        // of 2,048 bytes: A is [2 registers, 16 rows, 64 bytes], and B is [16 words, 2 registers, 64 bytes]. The
        // caller guarantees both, and the 32 rows of 32 numbers of the tile, or the 32 numbers of the bias. The code
        // accesses only these, and changes only the registers that are listed.
        unsafe {
            asm!(
                "tileloadd tmm0, [{init} + {init_stride}]",
                "tileloadd tmm1, [{init} + {init_stride} + 64]",
                "tileloadd tmm2, [{init_below} + {init_stride}]",
                "tileloadd tmm3, [{init_below} + {init_stride} + 64]",
                "test {steps}, {steps}",
                "jz 3f",
                "2:",
                "tileloadd tmm6, [{b} + {b_stride}]",
                "tileloadd tmm4, [{a} + {a_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{b} + {b_stride} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{a} + {a_stride} + 1024]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {a}, 2048",
                "add {b}, 2048",
                "dec {steps}",
                "jnz 2b",
                "3:",
                "tilestored [{c} + {c_stride}], tmm0",
                "tilestored [{c} + {c_stride} + 64], tmm1",
                "tilestored [{c_below} + {c_stride}], tmm2",
                "tilestored [{c_below} + {c_stride} + 64], tmm3",
                init = in(reg) init,
                init_below = in(reg) init.wrapping_byte_add(SIDE * init_stride),
                init_stride = in(reg) init_stride,
                steps = inout(reg) k_words / SIDE => _,
                a = inout(reg) a => _,
                b = inout(reg) b => _,
                a_stride = in(reg) 64usize,
                b_stride = in(reg) 128usize,
                c = in(reg) tile.start,
                c_below = in(reg) tile.start.wrapping_add(SIDE * tile.row_stride),
                c_stride = in(reg) 4 * tile.row_stride,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}

/// # Safety
/// The requirements of [`Kernel::pack_left`]. In addition, the processor has AVX512-BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pack_left(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    // SAFETY: the caller guarantees the requirements of `pack_tiles`. The width of the panels is MR, a multiple of
    // 16, and their length along k a multiple of 16 words. This function enables all instructions that
    // `RoundedToBf16` uses.
    unsafe { pack_tiles::<RoundedToBf16>(source, row, k, panels) }
}
