//! How far a result may be off on a backend: absolute, relative to values beyond 1.

/// The tolerances of a backend.
pub(crate) struct Tolerance {
    pub(crate) forward: f64,
    pub(crate) gradients: f64,
    /// Of ten losses in a row.
    pub(crate) losses: f64,
    /// What rounding the operands of products to bf16 may change, of gradients in parts of their largest.
    pub(crate) bf16: f64,
    /// The same of fp16, which has three bits more.
    pub(crate) fp16: f64,
}

const CPU: Tolerance = Tolerance { forward: 1e-5, gradients: 1e-4, losses: 1e-4, bf16: 0.1, fp16: 0.02 };
const WGPU: Tolerance = Tolerance { forward: 1e-5, gradients: 1e-4, losses: 1e-4, bf16: 0.1, fp16: 0.02 };
/// Burn computes fp32 products in TF32, with 10 bits behind the point, where its tuning finds that faster.
const CUDA: Tolerance = Tolerance { forward: 1e-2, gradients: 1e-2, losses: 1e-2, bf16: 0.1, fp16: 0.02 };

impl Tolerance {
    pub(crate) fn of(backend: &str) -> &'static Self {
        match backend {
            "cuda" => &CUDA,
            "wgpu" => &WGPU,
            _ => &CPU,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_is_allowed() {
        let page = include_str!("../../README.md");
        for backend in ["cpu", "wgpu", "cuda"] {
            let Tolerance { forward, gradients, losses, bf16, fp16 } = Tolerance::of(backend);
            let row = format!(
                "| `{backend}` | {forward:e} | {gradients:e} | {losses:e} | {bf16} | {fp16} | the same bits |"
            );
            assert!(page.contains(&row), "the page lacks {row}");
        }
    }
}
