//! Device: the CPU, or a GPU of an enabled backend.

use std::ops::Deref;

use burn::tensor::Device as BurnDevice;

#[cfg(not(any(feature = "cpu", feature = "cuda", feature = "wgpu")))]
compile_error!("embert needs one of the features cpu, cuda and wgpu");

/// Device that runs the computation. It dereferences to Burn's device, which the other embert crates take.
#[derive(Debug, Clone)]
pub struct Device(BurnDevice);

impl Default for Device {
    /// Returns the first CUDA GPU (feature `cuda`), else the first WGPU device (feature `wgpu`), else the CPU
    /// (feature `cpu`).
    ///
    /// Without the feature `cpu` and without a GPU, the first computation fails.
    fn default() -> Self {
        #[cfg(feature = "cuda")]
        if let Some(device) = first_device(burn::tensor::DeviceType::Cuda) {
            return device;
        }
        #[cfg(feature = "wgpu")]
        if let Some(device) = first_device(burn::tensor::DeviceType::Wgpu) {
            return device;
        }
        #[cfg(feature = "cpu")]
        return Self::cpu();
        #[cfg(not(feature = "cpu"))]
        Self(BurnDevice::default())
    }
}

impl Device {
    /// Returns the CPU.
    #[cfg(feature = "cpu")]
    pub fn cpu() -> Self {
        Self(BurnDevice::flex())
    }
}

/// Returns the first device of a backend; `None` without a device, or if the driver panics.
#[cfg(any(feature = "cuda", feature = "wgpu"))]
fn first_device(kind: burn::tensor::DeviceType) -> Option<Device> {
    let found = std::panic::catch_unwind(|| BurnDevice::enumerate(kind).into_vec());
    found.unwrap_or_default().into_iter().next().map(Device)
}

impl Deref for Device {
    type Target = BurnDevice;

    fn deref(&self) -> &BurnDevice {
        &self.0
    }
}

impl From<BurnDevice> for Device {
    fn from(device: BurnDevice) -> Self {
        Self(device)
    }
}
