//! How matrix products are computed.

/// The precision of matrix products. Everything else, and every sum, is fp32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// Operands in fp32.
    #[default]
    Fp32,
    /// Operands rounded to bf16, sums in fp32: what `torch.autocast` does to linear layers. On a CPU without
    /// AVX512-BF16 the operands stay fp32.
    Bf16,
}
