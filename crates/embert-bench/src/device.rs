//! The device of the benchmarks, chosen by the features, the devices of a workload, and their padding.

use burn::tensor::Device;
use embert_inference::padding_for;
use embert_text::Padding;

use crate::workload::Workload;

#[cfg(not(any(feature = "cpu", feature = "cuda", feature = "wgpu")))]
compile_error!("embert-bench needs one of the features cpu, cuda and wgpu");

/// Opens the device of the benchmarks: the CPU, or in a build without it the first GPU.
pub(crate) fn open() -> (Device, Padding) {
    let device = cpu().unwrap_or_else(|| gpu(0));
    let padding = padding_for(&device);
    (device, padding)
}

/// Opens the devices of a workload. A build for the CPU and for GPUs can run every workload.
pub(crate) fn open_all(workload: &Workload) -> (Vec<Device>, Padding) {
    let open =
        |number| if workload.on_gpu { gpu(number) } else { cpu().expect("this build has no CPU backend") };
    let devices: Vec<Device> = (0..workload.devices).map(open).collect();
    let padding = padding_for(&devices[0]);
    (devices, padding)
}

#[cfg(feature = "cuda")]
fn gpu(number: usize) -> Device {
    Device::cuda(number)
}

#[cfg(all(feature = "wgpu", not(feature = "cuda")))]
fn gpu(number: usize) -> Device {
    use burn::tensor::DeviceKind;
    Device::wgpu(if number == 0 { DeviceKind::DefaultDevice } else { DeviceKind::DiscreteGpu(number) })
}

#[cfg(not(any(feature = "cuda", feature = "wgpu")))]
fn gpu(_: usize) -> Device {
    panic!("this build has no GPU backend")
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

/// Returns the peak memory of this process, or the memory reserved on the first GPU, if known.
pub(crate) fn peak_bytes(workload: &Workload) -> Option<u64> {
    if workload.on_gpu {
        Some(gpu(0).memory_pool_usage()?.bytes_reserved)
    } else {
        crate::memory::peak_bytes()
    }
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
