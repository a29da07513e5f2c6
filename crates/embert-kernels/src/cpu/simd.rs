//! The instructions that the kernels use, detected at run time: one binary runs on every processor.

use pulp::{Arch, Simd, WithSimd};

use super::matmul::{F32, Kernel};
use crate::precision::Precision;

/// The processor's instructions, and the precision of products.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    arch: Arch,
    precision: Precision,
}

/// A computation that needs a product's kernel and vectors.
pub(crate) trait WithKernel {
    /// Its result.
    type Output;
    /// Runs it.
    fn run<K: Kernel, S: Simd>(self, kernel: K, simd: S) -> Self::Output;
}

impl Cpu {
    /// The best that this processor has.
    pub(crate) fn new(precision: Precision) -> Self {
        Self { arch: Arch::new(), precision }
    }

    /// The same for work without products in bf16.
    pub(crate) fn fp32() -> Self {
        Self::new(Precision::Fp32)
    }

    /// Every instruction set that this processor has.
    #[cfg(test)]
    pub(crate) fn all(precision: Precision) -> Vec<Self> {
        let mut all = vec![Self { arch: Arch::Scalar, precision }];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V3::try_new().map(|simd| Self { arch: Arch::V3(simd), precision }));
            all.extend(pulp::x86::V4::try_new().map(|simd| Self { arch: Arch::V4(simd), precision }));
        }
        #[cfg(target_arch = "aarch64")]
        all.push(Self::new(precision));
        all
    }

    /// Returns whether products round their operands to bf16: if asked for, and if the processor has the instructions.
    pub(crate) fn rounds_to_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self.precision == Precision::Bf16
            && matches!(self.arch, Arch::V4(_))
            && super::matmul::Bf16::<8, 3>::detect().is_some();
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// Runs element-wise work with the vectors of the processor.
    pub(crate) fn vectors<Op: WithSimd>(self, op: Op) -> Op::Output {
        self.arch.dispatch(op)
    }

    /// Runs work on products with the widest tile: large matrices.
    pub(crate) fn wide<Op: WithKernel>(self, op: Op) -> Op::Output {
        self.products::<Op, 3>(op)
    }

    /// Runs work on products with a tile of two vectors: narrow matrices, such as the heads of attention.
    pub(crate) fn narrow<Op: WithKernel>(self, op: Op) -> Op::Output {
        self.products::<Op, 2>(op)
    }

    fn products<Op: WithKernel, const NV: usize>(self, op: Op) -> Op::Output {
        #[cfg(target_arch = "x86_64")]
        if let (Precision::Bf16, Arch::V4(simd)) = (self.precision, self.arch)
            && let Some(kernel) = super::matmul::Bf16::<8, NV>::detect()
        {
            return op.run(kernel, simd);
        }
        self.arch.dispatch(InFp32::<Op, 8, NV>(op))
    }
}

/// MR rows by NV vectors, or what fits into 16 registers.
struct InFp32<Op, const MR: usize, const NV: usize>(Op);

impl<Op: WithKernel, const MR: usize, const NV: usize> WithSimd for InFp32<Op, MR, NV> {
    type Output = Op::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Op::Output {
        match S::REGISTER_COUNT {
            32.. => self.0.run(F32::<S, MR, NV>(simd), simd),
            _ => self.0.run(F32::<S, 6, 2>(simd), simd),
        }
    }
}

/// Returns whether products of this precision round their operands on this processor.
pub(crate) fn rounds(precision: Precision) -> bool {
    Cpu::new(precision).rounds_to_bf16()
}

/// Returns the instructions that matrix products of this precision use on this processor, as words to print.
pub fn instructions(precision: Precision) -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if rounds(precision) {
            return "bf16 (AVX512-BF16)";
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
