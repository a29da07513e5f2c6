//! The precision of matrix products.

/// The precision of the operands of matrix products, in attention too.
///
/// All sums and all other operations are fp32, as under `torch.autocast`. The default is fp32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// fp32 operands.
    #[default]
    Fp32,
    /// Operands rounded to bf16. They are saved in bf16 for the backward pass, and so is the input of GELU. A
    /// CPU without AVX512-BF16 uses fp32 instead.
    Bf16,
    /// Operands rounded to fp16. Its range is 6e-8 to 65,504, so training must scale the loss. A CPU uses
    /// fp32 instead.
    Fp16,
}
