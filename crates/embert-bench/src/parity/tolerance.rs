//! The tolerances of each backend: absolute, and relative for values above 1.

/// The tolerances of a backend.
pub(crate) struct Tolerance {
    pub(crate) forward: f64,
    pub(crate) gradients: f64,
    /// Ten losses of a training run.
    pub(crate) losses: f64,
    /// fp32 products that the device may round to TF32, with a mantissa of 10 bits.
    pub(crate) tf32: f64,
    /// bf16 products; for gradients, relative to the largest value.
    pub(crate) bf16: f64,
    /// fp16 products, whose mantissa has three bits more.
    pub(crate) fp16: f64,
}

/// Without TF32.
const OTHER: Tolerance =
    Tolerance { forward: 1e-5, gradients: 1e-4, losses: 1e-4, tf32: 1e-5, bf16: 0.1, fp16: 0.02 };
const CUDA: Tolerance = Tolerance { tf32: 1e-2, ..OTHER };

impl Tolerance {
    pub(crate) fn of(backend: &str) -> &'static Self {
        if backend == "cuda" { &CUDA } else { &OTHER }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_lists_the_tolerances() {
        let readme = include_str!("../../README.md");
        for backend in ["cpu", "wgpu", "cuda"] {
            let Tolerance { forward, gradients, losses, tf32, bf16, fp16 } = Tolerance::of(backend);
            let row = format!(
                "| `{backend}` | {forward:e} | {gradients:e} | {losses:e} | {tf32:e} | {bf16} | {fp16} | the same bits |"
            );
            assert!(readme.contains(&row), "the README lacks {row}");
        }
    }
}
