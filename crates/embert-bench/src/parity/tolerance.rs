//! The tolerances of each backend: absolute, and relative for values above 1.

/// The tolerances of a backend.
pub(crate) struct Tolerance {
    pub(crate) forward: f64,
    pub(crate) gradients: f64,
    /// Ten losses of a training run.
    pub(crate) losses: f64,
    /// bf16 products; for gradients, relative to the largest value.
    pub(crate) bf16: f64,
    /// fp16 products, whose mantissa has three bits more.
    pub(crate) fp16: f64,
}

const CPU: Tolerance = Tolerance { forward: 1e-5, gradients: 1e-4, losses: 1e-4, bf16: 0.1, fp16: 0.02 };
const WGPU: Tolerance = Tolerance { forward: 1e-5, gradients: 1e-4, losses: 1e-4, bf16: 0.1, fp16: 0.02 };
/// Burn may compute fp32 products in TF32, with a mantissa of 10 bits.
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
    fn the_readme_lists_the_tolerances() {
        let readme = include_str!("../../README.md");
        for backend in ["cpu", "wgpu", "cuda"] {
            let Tolerance { forward, gradients, losses, bf16, fp16 } = Tolerance::of(backend);
            let row = format!(
                "| `{backend}` | {forward:e} | {gradients:e} | {losses:e} | {bf16} | {fp16} | the same bits |"
            );
            assert!(readme.contains(&row), "the README lacks {row}");
        }
    }
}
