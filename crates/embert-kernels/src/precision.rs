//! How matrix products are computed.

/// The precision of matrix products, those of attention among them. Everything else, and every sum, is fp32: what
/// `torch.autocast` does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// Operands in fp32.
    #[default]
    Fp32,
    /// Operands rounded to bf16, and kept so for backward with the input of GELU, whose derivative is taken there. On a CPU
    /// without AVX512-BF16 they stay fp32.
    Bf16,
    /// Operands rounded to fp16, whose largest number is 65,504 and whose smallest 6e-8: the loss must be scaled. On a CPU
    /// they stay fp32.
    Fp16,
}
