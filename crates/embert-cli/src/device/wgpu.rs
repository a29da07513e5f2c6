//! Graphics adapters of Vulkan, Metal and DirectX 12.

use burn::backend::wgpu::graphics::AutoGraphicsApi;
use burn::backend::wgpu::{RuntimeOptions, WgpuDevice, try_init_setup};
use burn::backend::{CubeDevice, DispatchDevice, WgpuDeviceKind};
use burn::tensor::{Device, DeviceType};

use super::gpu::{self, Candidate, Opened};

/// A graphics adapter.
pub(super) struct Adapter(WgpuDevice);

/// Returns all adapters by number: discrete GPUs, integrated GPUs, virtual GPUs, others, software.
pub(super) fn adapters() -> Result<Vec<Adapter>, String> {
    let devices = gpu::guarded(|| Ok(Device::enumerate(DeviceType::Wgpu).into_vec()))?;
    let adapter = |device: &Device| match device.as_dispatch() {
        DispatchDevice::Cube(CubeDevice::Wgpu(device)) => Some(Adapter(device.clone())),
        _ => None,
    };
    let mut adapters = devices.iter().filter_map(adapter).collect::<Vec<_>>();
    adapters.sort_by_key(|Adapter(device)| order(&device.kind)); // stable: the system's order within a kind
    Ok(adapters)
}

fn order(kind: &WgpuDeviceKind) -> usize {
    match kind {
        WgpuDeviceKind::DiscreteGpu(_) => 0,
        WgpuDeviceKind::IntegratedGpu(_) => 1,
        WgpuDeviceKind::VirtualGpu(_) => 2,
        WgpuDeviceKind::Cpu => 4, // software
        _ => 3,
    }
}

impl Candidate for Adapter {
    fn open(&self) -> Result<Opened, String> {
        let Self(device) = self;
        let options = RuntimeOptions::try_default().map_err(|error| error.to_string())?;
        let setup = try_init_setup::<AutoGraphicsApi>(device, options).map_err(|error| error.to_string())?;
        let info = setup.adapter.get_info();
        let software = if device.kind == WgpuDeviceKind::Cpu { ", software" } else { "" };
        let parts = [format!("{:?}", info.backend), info.driver, info.driver_info];
        let parts = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        Ok(Opened {
            device: device.clone().into(),
            name: format!("{}{software}", info.name),
            driver: parts.join(", "),
        })
    }
}
