//! The device of the benchmarks, chosen by the features, and its padding.

use burn::tensor::Device;
use embert_text::Padding;

#[cfg(not(any(feature = "cpu", feature = "cuda", feature = "wgpu")))]
compile_error!("embert-bench needs one of the features cpu, cuda and wgpu");

/// Opens the CPU, or the first GPU of the backend.
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

/// Opens the device with this name, or the default device. Returns the name of its backend, too.
pub(crate) fn named(name: Option<&str>) -> Result<(Device, &'static str), String> {
    match name.unwrap_or(DEFAULT) {
        #[cfg(feature = "cpu")]
        "cpu" => Ok((Device::flex(), "cpu")),
        #[cfg(feature = "cuda")]
        "cuda" => match Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec().len() {
            0 => Err("no CUDA device is visible".to_owned()),
            _ => Ok((Device::cuda(0_usize), "cuda")),
        },
        #[cfg(feature = "wgpu")]
        "wgpu" => wgpu().map(|device| (device, "wgpu")),
        other => Err(format!("this build does not support the device {other}")),
    }
}

/// Opens the CPU, if the build supports it.
pub(crate) fn cpu() -> Option<Device> {
    #[cfg(feature = "cpu")]
    return Some(Device::flex());
    #[cfg(not(feature = "cpu"))]
    None
}

/// True if [`open`] opens a GPU.
pub(crate) const IS_GPU: bool = !cfg!(feature = "cpu");

/// Returns the peak memory of this process, or the memory reserved on the GPU, if known.
pub(crate) fn peak_bytes() -> Option<u64> {
    if IS_GPU { Some(open().0.memory_pool_usage()?.bytes_reserved) } else { crate::memory::peak_bytes() }
}

const DEFAULT: &str = if cfg!(feature = "cpu") {
    "cpu"
} else if cfg!(feature = "cuda") {
    "cuda"
} else {
    "wgpu"
};

/// Opens the default adapter, or a software adapter.
#[cfg(feature = "wgpu")]
fn wgpu() -> Result<Device, String> {
    use burn::tensor::DeviceKind;
    let open = |kind| Device::wgpu_options().device_kind(kind).init();
    let found = open(DeviceKind::DefaultDevice).or_else(|_| open(DeviceKind::Cpu));
    found.map_err(|error| format!("no adapter for wgpu: {error:?}"))
}

/// Returns the instruction sets of embert's own matrix products in fp32 and bf16.
pub(crate) fn instructions() -> Option<[&'static str; 2]> {
    #[cfg(feature = "cpu")]
    return Some([
        embert_kernels::instructions(embert_kernels::Precision::Fp32),
        embert_kernels::instructions(embert_kernels::Precision::Bf16),
    ]);
    #[cfg(not(feature = "cpu"))]
    None
}
