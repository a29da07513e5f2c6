//! SIMD dispatch: detects the processor's instructions at run time, so that one binary runs on every
//! processor.

use pulp::{Arch, Simd, WithSimd};

#[cfg(target_arch = "x86_64")]
use super::matmul::{Amx, Bf16};
use super::matmul::{F32, Kernel};
use crate::precision::Precision;

/// The instructions of this processor, and the precision of matrix products.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    arch: Arch,
    precision: Precision,
    /// Whether products in bf16 use AMX if the processor has it.
    amx: bool,
}

/// A computation that uses a matmul kernel and SIMD vectors.
pub(crate) trait WithKernel {
    /// The type of the result.
    type Output;
    /// Runs the computation.
    fn with_kernel<K: Kernel, S: Simd>(self, kernel: K, simd: S) -> Self::Output;
}

impl Cpu {
    /// Selects the best instructions of this processor.
    pub(crate) fn new(precision: Precision) -> Self {
        Self { arch: Arch::new(), precision, amx: true }
    }

    /// Selects the best instructions, with fp32 products.
    pub(crate) fn fp32() -> Self {
        Self::new(Precision::Fp32)
    }

    /// Returns one value for each instruction set of this processor.
    #[cfg(test)]
    pub(crate) fn all(precision: Precision) -> Vec<Self> {
        let best = Self::new(precision);
        let without_amx = |arch| Self { arch, precision, amx: false };
        let mut all = vec![best, without_amx(Arch::Scalar)];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V3::try_new().map(|simd| without_amx(Arch::V3(simd))));
            all.extend(pulp::x86::V4::try_new().map(|simd| without_amx(Arch::V4(simd))));
        }
        all
    }

    /// Returns `true` if products round their operands to bf16: the precision is bf16, and the processor
    /// supports it.
    pub(crate) fn rounds_to_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self.precision == Precision::Bf16
            && matches!(self.arch, Arch::V4(_))
            && Bf16::<8, 3>::detect().is_some();
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// Runs an element-wise computation with SIMD vectors.
    pub(crate) fn vectorize<Op: WithSimd>(self, op: Op) -> Op::Output {
        self.arch.dispatch(op)
    }

    /// Runs a computation with the widest tile, for large matrices.
    pub(crate) fn with_wide_tile<Op: WithKernel>(self, op: Op) -> Op::Output {
        self.run_with_kernel::<Op, 3>(op)
    }

    /// Runs a computation with a tile of two vectors, for narrow matrices such as attention heads.
    pub(crate) fn with_narrow_tile<Op: WithKernel>(self, op: Op) -> Op::Output {
        self.run_with_kernel::<Op, 2>(op)
    }

    fn run_with_kernel<Op: WithKernel, const NV: usize>(self, op: Op) -> Op::Output {
        #[cfg(target_arch = "x86_64")]
        if let (Precision::Bf16, Arch::V4(simd)) = (self.precision, self.arch) {
            if let Some(kernel) = Amx::detect().filter(|_| self.amx) {
                return op.with_kernel(kernel, simd);
            }
            if let Some(kernel) = Bf16::<8, NV>::detect() {
                return op.with_kernel(kernel, simd);
            }
        }
        self.arch.dispatch(Fp32Kernel::<Op, 8, NV>(op))
    }
}

/// Runs a computation with the fp32 kernel: a tile of MR rows and NV vectors, or a smaller tile if there are
/// only 16 registers.
struct Fp32Kernel<Op, const MR: usize, const NV: usize>(Op);

impl<Op: WithKernel, const MR: usize, const NV: usize> WithSimd for Fp32Kernel<Op, MR, NV> {
    type Output = Op::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Op::Output {
        match S::REGISTER_COUNT {
            32.. => self.0.with_kernel(F32::<S, MR, NV>(simd), simd),
            _ => self.0.with_kernel(F32::<S, 6, 2>(simd), simd),
        }
    }
}

/// Returns `true` if products of this precision round their operands on this processor.
pub(crate) fn rounds_operands(precision: Precision) -> bool {
    Cpu::new(precision).rounds_to_bf16()
}

/// Returns the precision and the instruction set of matrix products on this processor, for display.
///
/// Example: `"bf16 (AMX)"`. A precision that the processor does not support shows the fp32 fallback.
pub fn instructions(precision: Precision) -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if rounds_operands(precision) {
            return if Amx::detect().is_some() { "bf16 (AMX)" } else { "bf16 (AVX512-BF16)" };
        }
        match Arch::new() {
            Arch::V4(_) => "fp32 (AVX-512)",
            Arch::V3(_) => "fp32 (AVX2, FMA)",
            _ => "fp32 (no vectors)",
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = precision;
        if cfg!(target_arch = "aarch64") { "fp32 (NEON)" } else { "fp32 (no vectors)" }
    }
}
