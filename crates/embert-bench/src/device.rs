//! The device that the benchmarks were built for, and how batches lie in its memory.

use burn::tensor::Device;
use embert_text::Padding;

#[cfg(not(any(feature = "cpu", feature = "cuda", feature = "wgpu")))]
compile_error!("embert-bench needs one of the features cpu, cuda and wgpu");

/// The CPU, or the first GPU of the backend.
#[cfg(feature = "cpu")]
pub(crate) fn open() -> (Device, Padding) {
    (Device::flex(), Padding::Packed)
}

#[cfg(all(feature = "cuda", not(feature = "cpu")))]
pub(crate) fn open() -> (Device, Padding) {
    (Device::cuda(0_usize), Padding::MultipleOf(64))
}

#[cfg(all(feature = "wgpu", not(any(feature = "cpu", feature = "cuda"))))]
pub(crate) fn open() -> (Device, Padding) {
    (Device::wgpu(burn::tensor::DeviceKind::DefaultDevice), Padding::MultipleOf(64))
}

/// The instructions of matrix products in fp32 and bf16, where they are our own.
pub(crate) fn instructions() -> Option<[&'static str; 2]> {
    #[cfg(feature = "cpu")]
    return Some([
        embert_kernels::instructions(embert_kernels::Precision::Fp32),
        embert_kernels::instructions(embert_kernels::Precision::Bf16),
    ]);
    #[cfg(not(feature = "cpu"))]
    None
}
