//! Opens the device of a name such as `cpu`, `wgpu:1` or `cuda:0`.
//!
//! Only this module names backends. It tests each device before use, so that a run does not fail later.

#[cfg(feature = "cpu")]
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod gpu;
#[cfg(feature = "wgpu")]
mod wgpu;

use burn::tensor::Device;
use clap::ArgMatches;
use embert_inference::{padding_for, supports_precision};
use embert_kernels::Precision;
use embert_text::Padding;

use crate::error::CliError;

#[cfg(not(any(feature = "cpu", feature = "cuda", feature = "wgpu")))]
compile_error!("embert needs one of the features cpu, cuda and wgpu");

/// The default of `--device`.
pub(crate) const DEFAULT: &str = if cfg!(feature = "cpu") {
    "cpu"
} else if cfg!(feature = "cuda") {
    "cuda"
} else {
    "wgpu"
};

/// The advice for an unknown device.
const SEE: &str = "`embert devices` lists the devices";

/// A backend. `--device` and the cargo feature have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Cpu,
    Wgpu,
    Cuda,
}

/// A description of a device.
pub(crate) struct DeviceInfo {
    /// The value of `--device`.
    pub(crate) device: String,
    /// The name that the driver reports.
    pub(crate) name: String,
    /// The memory, if known.
    pub(crate) memory: Option<String>,
    /// The driver and its version.
    pub(crate) driver: String,
    /// The supported precisions, or the reason why the device cannot be used.
    pub(crate) precisions: String,
}

/// A tested device with the padding of its batches.
pub(crate) struct DeviceContext {
    pub(crate) device: Device,
    /// Further devices that share the training.
    pub(crate) replicas: Vec<Device>,
    pub(crate) padding: Padding,
    /// The value of `--device`.
    name: String,
    backend: Backend,
}

impl DeviceContext {
    /// Returns true for the CPU.
    pub(crate) fn is_cpu(&self) -> bool {
        self.backend == Backend::Cpu
    }

    /// Returns the type and the instructions of matrix products in this precision, for display.
    pub(crate) fn precision(&self, precision: Precision) -> &'static str {
        #[cfg(feature = "cpu")]
        if self.is_cpu() {
            return embert_kernels::instructions(precision);
        }
        #[cfg(any(feature = "cuda", feature = "wgpu"))]
        return embert_kernels::gpu_instructions(&self.device, precision);
        #[cfg(not(any(feature = "cuda", feature = "wgpu")))]
        unreachable!("a device of the build is the CPU")
    }

    /// Fails if the device does not support the precision. A CPU without bf16 instructions computes bf16 in fp32.
    pub(crate) fn require(&self, precision: Precision) -> Result<(), CliError> {
        if supports_precision(&self.device, precision) {
            return Ok(());
        }
        let flag = if precision == Precision::Fp16 { "fp16" } else { "bf16" };
        let instead = if self.is_cpu() {
            "; on a CPU, --bf16 halves the size of the matrices that it multiplies"
        } else {
            ""
        };
        Err(CliError::usage(format!(
            "train.{flag}: --device {} does not compute in {flag}; leave --{flag} out, or set --{flag} false{instead}",
            self.name
        )))
    }
}

/// Opens the device of `--device`.
pub(crate) fn of(matches: &ArgMatches) -> Result<DeviceContext, CliError> {
    open(matches.get_one::<String>("device").expect("--device has a default"))
}

/// Opens the devices of `--devices`, or the one of `--device`.
pub(crate) fn all_of(matches: &ArgMatches) -> Result<DeviceContext, CliError> {
    let Some(names) = matches.get_one::<String>("devices") else { return of(matches) };
    let names = names.split(',').map(str::trim).collect::<Vec<_>>();
    // Before any is opened: WGPU cannot open one twice.
    if names
        .iter()
        .enumerate()
        .any(|(before, name)| names[..before].iter().any(|known| same_device(known, name)))
    {
        return Err(not_different(&names));
    }
    let mut first = open(names[0])?;
    for name in &names[1..] {
        let other = open(name)?;
        if other.backend != first.backend {
            return Err(not_different(&names));
        }
        first.replicas.push(other.device.autodiff());
    }
    Ok(first)
}

fn not_different(names: &[&str]) -> CliError {
    let why = "training needs different devices of one backend, as in cuda:0,cuda:1";
    CliError::usage(format!("--devices {}: {why}", names.join(",")))
}

/// Returns true if two names mean one device, such as `cuda` and `cuda:0`.
fn same_device(one: &str, other: &str) -> bool {
    parse(one).is_ok_and(|one| parse(other) == Ok(one))
}

/// Opens and tests the device of this name. Called before anything is loaded.
pub(crate) fn open(name: &str) -> Result<DeviceContext, CliError> {
    let refuse = |why| CliError::usage(format!("--device {name}: {why}"));
    let (backend, number) = parse(name).map_err(refuse)?;
    let device = backend.open(number).map_err(refuse)?;
    let padding = padding_for(&device);
    Ok(DeviceContext { device, replicas: vec![], padding, name: name.to_owned(), backend })
}

/// Parses a name: `wgpu:1` is device 1 of WGPU, `wgpu` is device 0.
fn parse(name: &str) -> Result<(Backend, usize), String> {
    let (kind, number) = name.split_once(':').unwrap_or((name, "0"));
    let Some(backend) = Backend::ALL.into_iter().find(|backend| backend.name() == kind) else {
        return Err(format!("a device is cpu, wgpu, wgpu:N, cuda or cuda:N; {SEE}"));
    };
    match number.parse() {
        Ok(number) => Ok((backend, number)),
        Err(_) => Err(format!("`{number}` is not the number of a device; {SEE}")),
    }
}

impl Backend {
    pub(crate) const ALL: [Self; 3] = [Self::Cpu, Self::Wgpu, Self::Cuda];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }

    fn is_built(self) -> bool {
        match self {
            Self::Cpu => cfg!(feature = "cpu"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Cuda => cfg!(feature = "cuda"),
        }
    }

    /// Returns the command that builds embert with this backend.
    #[cfg(not(all(feature = "cpu", feature = "cuda", feature = "wgpu")))]
    fn how_to_build(self) -> String {
        let name = self.name();
        format!("`cargo xtask train --backend {name}` builds one with {name} and trains there")
    }

    /// Returns the error message if this backend finds no device.
    #[cfg(any(feature = "wgpu", feature = "cuda"))]
    fn nothing_found(self) -> &'static str {
        match self {
            Self::Cpu => unreachable!("a CPU runs this"),
            Self::Wgpu => {
                "no graphics adapter was found; a GPU and its driver for Vulkan, Metal or DirectX 12 are needed (on Debian \
                 and Ubuntu the packages libvulkan1 and mesa-vulkan-drivers)"
            }
            Self::Cuda => {
                "no CUDA device was found; an NVIDIA GPU and its driver are needed (nvidia-smi shows both; a container \
                 must be started with the GPU, as in `docker run --gpus all`)"
            }
        }
    }

    /// Opens and describes each device of this backend. Fails without a device.
    pub(crate) fn find(self) -> Result<Vec<DeviceInfo>, String> {
        match self {
            #[cfg(feature = "cpu")]
            Self::Cpu => Ok(vec![cpu::found()]),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => gpu::find(self, wgpu::adapters()),
            #[cfg(feature = "cuda")]
            Self::Cuda => gpu::find(self, cuda::devices()),
            #[cfg(not(all(feature = "cpu", feature = "cuda", feature = "wgpu")))]
            _ => Err(format!("not in this binary; {}", self.how_to_build())),
        }
    }

    /// Opens device `number`.
    fn open(self, number: usize) -> Result<Device, String> {
        match self {
            #[cfg(feature = "cpu")]
            Self::Cpu => cpu::open(number),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => gpu::open(self, wgpu::adapters(), number),
            #[cfg(feature = "cuda")]
            Self::Cuda => gpu::open(self, cuda::devices(), number),
            #[cfg(not(all(feature = "cpu", feature = "cuda", feature = "wgpu")))]
            _ => {
                let _ = number;
                Err(format!(
                    "this binary was built with {}; {}, and {SEE}",
                    built().join(" and "),
                    self.how_to_build()
                ))
            }
        }
    }
}

/// Returns the backends of this binary.
pub(crate) fn built() -> Vec<&'static str> {
    Backend::ALL.into_iter().filter(|backend| backend.is_built()).map(Backend::name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_backend_and_a_number() {
        let parsed = |name| parse(name).ok();
        assert_eq!(parsed("cpu"), Some((Backend::Cpu, 0)));
        assert_eq!(parsed("wgpu"), Some((Backend::Wgpu, 0)));
        assert_eq!(parsed("cuda:12"), Some((Backend::Cuda, 12)));
        for nonsense in
            ["", ":", "gpu", "CUDA", "wgpu:", "wgpu:x", "wgpu:-1", "wgpu:1:2", "cuda:99999999999999999999"]
        {
            assert_eq!(parsed(nonsense), None, "{nonsense}");
        }
    }
}
