//! The only file that names a backend: from `cpu`, `cuda:N` or `wgpu:N` to a device that is there.

use burn::tensor::Device;
use embert_kernels::Precision;
use embert_text::Padding;

use crate::error::CliError;

/// The device of a command line that names none.
pub(crate) const DEFAULT: &str = if cfg!(feature = "cpu") {
    "cpu"
} else if cfg!(feature = "cuda") {
    "cuda"
} else {
    "wgpu"
};

#[cfg(not(any(feature = "cpu", feature = "cuda", feature = "wgpu")))]
compile_error!("embert needs one of the features cpu, cuda and wgpu");

/// A device, and how batches lie in its memory.
pub(crate) struct Place {
    pub(crate) device: Device,
    pub(crate) padding: Padding,
}

impl Place {
    /// Whether it computes in the process's own memory.
    pub(crate) fn is_cpu(&self) -> bool {
        #[cfg(feature = "cpu")]
        return self.device == Device::flex();
        #[cfg(not(feature = "cpu"))]
        false
    }

    /// What computes matrix products of this precision here, where that is known.
    #[cfg_attr(not(feature = "cpu"), expect(clippy::unused_self, reason = "nothing is known of GPUs"))]
    pub(crate) fn precision(&self, precision: Precision) -> Option<&'static str> {
        #[cfg(feature = "cpu")]
        if self.device == Device::flex() {
            return Some(embert_kernels::instructions(precision));
        }
        let _ = precision;
        None
    }
}

/// The devices that this binary was built for.
pub(crate) fn compiled() -> Vec<&'static str> {
    let known =
        [("cpu", cfg!(feature = "cpu")), ("cuda", cfg!(feature = "cuda")), ("wgpu", cfg!(feature = "wgpu"))];
    known.into_iter().filter(|(_, built)| *built).map(|(name, _)| name).collect()
}

/// The device of this name, if it is there: nothing is loaded before that is known.
pub(crate) fn open(name: &str) -> Result<Place, CliError> {
    let (kind, number) = match name.split_once(':') {
        None => (name, 0),
        Some((kind, number)) => {
            let parsed = number
                .parse()
                .map_err(|_| CliError::usage(format!("--device {name}: {number} is no number")))?;
            (kind, parsed)
        }
    };
    match kind {
        #[cfg(feature = "cpu")]
        "cpu" if number == 0 => Ok(Place { device: Device::flex(), padding: Padding::Packed }),
        #[cfg(feature = "cuda")]
        "cuda" => open_cuda(number),
        #[cfg(feature = "wgpu")]
        "wgpu" => open_wgpu(number),
        _ => Err(CliError::usage(format!(
            "--device {name}: this build has {}; build another with cargo xtask train --backend cpu, cuda or wgpu",
            compiled().join(", ")
        ))),
    }
}

/// Every sequence gets a multiple of so many rows, so that few shapes occur and kernels are tuned once.
#[cfg(any(feature = "cuda", feature = "wgpu"))]
const ROWS: Padding = Padding::MultipleOf(64);

#[cfg(feature = "cuda")]
fn open_cuda(number: usize) -> Result<Place, CliError> {
    use burn::tensor::DeviceType;
    let found = Device::enumerate(DeviceType::Cuda).into_vec().len(); // asks the driver; none without one
    match number < found {
        true => Ok(Place { device: Device::cuda(number), padding: ROWS }),
        false => Err(CliError::failed(format!(
            "--device cuda:{number}: {found} CUDA devices are visible (an NVIDIA driver is needed); this build also has {}",
            compiled().join(", ")
        ))),
    }
}

#[cfg(feature = "wgpu")]
fn open_wgpu(number: usize) -> Result<Place, CliError> {
    use burn::tensor::DeviceKind;
    let kinds = match number {
        0 => vec![DeviceKind::DefaultDevice, DeviceKind::Cpu],
        number => vec![DeviceKind::DiscreteGpu(number - 1)],
    };
    let mut reason = String::new();
    for kind in kinds {
        match Device::wgpu_options().device_kind(kind).init() {
            Ok(device) => return Ok(Place { device, padding: ROWS }),
            Err(error) => reason = format!("{error:?}"),
        }
    }
    Err(CliError::failed(format!(
        "--device wgpu:{number}: no such adapter ({reason}); this build has {}",
        compiled().join(", ")
    )))
}
