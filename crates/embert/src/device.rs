//! The device that computes: a GPU of an enabled backend, or the processor.

use std::ops::Deref;

use burn::tensor::Device as BurnDevice;

#[cfg(not(any(feature = "cpu", feature = "cuda", feature = "wgpu")))]
compile_error!("embert needs one of the features cpu, cuda and wgpu");

/// A device. It dereferences to Burn's, which the other crates of embert take.
#[derive(Debug, Clone)]
pub struct Device(BurnDevice);

impl Default for Device {
    /// The first GPU that CUDA finds (feature `cuda`), else the first that WGPU finds (feature `wgpu`), else the processor
    /// (feature `cpu`). A build without the feature `cpu` on a machine without a GPU fails when it computes.
    fn default() -> Self {
        #[cfg(feature = "cuda")]
        if let Some(device) = first(burn::tensor::DeviceType::Cuda) {
            return device;
        }
        #[cfg(feature = "wgpu")]
        if let Some(device) = first(burn::tensor::DeviceType::Wgpu) {
            return device;
        }
        #[cfg(feature = "cpu")]
        return Self::cpu();
        #[cfg(not(feature = "cpu"))]
        Self(BurnDevice::default())
    }
}

impl Device {
    /// The processor.
    #[cfg(feature = "cpu")]
    pub fn cpu() -> Self {
        Self(BurnDevice::flex())
    }
}

/// The first device of a backend. A driver that panics has none.
#[cfg(any(feature = "cuda", feature = "wgpu"))]
fn first(kind: burn::tensor::DeviceType) -> Option<Device> {
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
