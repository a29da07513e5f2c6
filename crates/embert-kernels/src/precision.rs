//! The precision of matrix products.

use burn::tensor::{DType, FloatDType, Tensor};

/// The precision of the operands of matrix products, in attention too.
///
/// All sums are fp32, and so are the other operations, as under `torch.autocast`. The default is fp32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// fp32 operands.
    #[default]
    Fp32,
    /// fp32 operands, which the tensor cores of NVIDIA's GPUs round to TF32: 10 bits of the fraction instead of 23.
    /// Other devices use fp32 instead.
    Tf32,
    /// Operands rounded to bf16. They are saved in bf16 for the backward pass, and so is the input of GELU. A
    /// CPU without AMX (on Linux) or AVX512-BF16 uses fp32 instead. On a GPU with tensor cores, the results of linear
    /// layers and of attention are bf16, too.
    Bf16,
    /// Operands rounded to fp16. Its range is 6e-8 to 65,504, so training must scale the loss. A CPU uses
    /// fp32 instead. On a GPU with tensor cores, the results of linear layers and of attention are fp16, too.
    Fp16,
}

impl Precision {
    /// Returns the type of the operands.
    pub(crate) fn dtype(self) -> FloatDType {
        match self {
            Self::Fp32 | Self::Tf32 => FloatDType::F32,
            Self::Bf16 => FloatDType::BF16,
            Self::Fp16 => FloatDType::F16,
        }
    }
}

/// Returns bf16 and fp16 numbers as fp32, and other numbers unchanged.
pub fn to_fp32<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if matches!(x.dtype(), DType::BF16 | DType::F16) { x.cast(FloatDType::F32) } else { x }
}
