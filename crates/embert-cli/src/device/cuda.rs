//! NVIDIA GPUs.

use burn::tensor::{Device, DeviceType};

use super::gpu::{self, Candidate, Opened};

/// A GPU.
pub(super) struct Gpu(Device);

/// Returns all GPUs in CUDA's order. Without a driver there are none.
pub(super) fn devices() -> Result<Vec<Gpu>, String> {
    gpu::guarded(|| Ok(Device::enumerate(DeviceType::Cuda).into_iter().map(Gpu).collect()))
}

impl Candidate for Gpu {
    fn open(&self) -> Result<Opened, String> {
        let Self(device) = self;
        let identity = device.identity().ok_or("the driver does not report its name")?;
        let architecture = identity.fingerprint.trim_start_matches("ptx_").to_owned();
        let parts = ["CUDA".to_owned(), architecture].into_iter().chain(driver_version());
        let driver = parts.collect::<Vec<_>>().join(", ");
        Ok(Opened { device: device.clone(), name: identity.name, driver })
    }
}

/// Returns the version of the Linux driver, such as `driver 570.124.06`.
fn driver_version() -> Option<String> {
    let version = std::fs::read_to_string("/proc/driver/nvidia/version").ok()?;
    let number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    Some(format!("driver {}", version.lines().next()?.split_whitespace().find(number)?))
}
