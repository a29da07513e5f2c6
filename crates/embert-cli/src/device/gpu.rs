//! Opens and lists GPUs of CUDA and WGPU. A driver may fail or panic at any call.

use burn::backend::DispatchDevice;
use burn::tensor::{Device, FloatDType, Tensor};

use super::{Backend, DeviceInfo, SEE};
use crate::panics;
use crate::report;

/// A device that was found but not tested.
pub(super) trait Candidate {
    /// Opens the device. Fails with the reason.
    fn open(&self) -> Result<Opened, String>;
}

/// An open device.
pub(super) struct Opened {
    pub(super) device: Device,
    pub(super) name: String,
    pub(super) driver: String,
}

/// Opens candidate `number` of `backend` and tests it.
pub(super) fn open(
    backend: Backend,
    candidates: Result<Vec<impl Candidate>, String>,
    number: usize,
) -> Result<Device, String> {
    let candidates = candidates?;
    let Some(candidate) = candidates.get(number) else {
        return Err(missing(backend, candidates.len()));
    };
    let cannot = |why| format!("it was found, but it cannot be used: {why}; {SEE}");
    let opened = guarded(|| candidate.open()).map_err(cannot)?;
    guarded(|| computes(&opened.device)).map_err(cannot)?;
    Ok(opened.device)
}

/// Describes each candidate. For a candidate that does not work, the description has the reason.
pub(super) fn find(
    backend: Backend,
    candidates: Result<Vec<impl Candidate>, String>,
) -> Result<Vec<DeviceInfo>, String> {
    let candidates = candidates?;
    match candidates.len() {
        0 => Err(backend.nothing_found().to_owned()),
        count => Ok((0..count).map(|number| found(backend, number, &candidates[number])).collect()),
    }
}

fn found(backend: Backend, number: usize, candidate: &impl Candidate) -> DeviceInfo {
    let device = format!("{}:{number}", backend.name());
    let described = guarded(|| {
        let Opened { device, name, driver } = candidate.open()?;
        computes(&device)?;
        Ok((name, memory_of(&device).map(report::size), driver, precisions(&device)))
    });
    match described {
        Ok((name, memory, driver, precisions)) => DeviceInfo { device, name, memory, driver, precisions },
        Err(why) => DeviceInfo {
            device,
            name: "-".to_owned(),
            memory: None,
            driver: "-".to_owned(),
            precisions: format!("cannot be used: {}", why.lines().next().unwrap_or_default()),
        },
    }
}

/// Calls a driver and turns a panic into an error.
pub(super) fn guarded<T>(ask: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    panics::caught(ask).and_then(|answer| answer)
}

/// Computes exp(0) on the device. Fails for missing compilers and broken drivers.
fn computes(device: &Device) -> Result<(), String> {
    let one = Tensor::<1>::zeros([1], device).exp().try_into_data().map_err(|error| format!("{error:?}"))?;
    match one.iter::<f32>().next() {
        Some(one) if (one - 1.0).abs() < 1e-3 => Ok(()),
        found => Err(format!("it computes exp(0) = {found:?}")),
    }
}

fn missing(backend: Backend, found: usize) -> String {
    let name = backend.name();
    match found {
        0 => backend.nothing_found().to_owned(),
        1 => format!("there is one {name} device, {name}:0; {SEE}"),
        _ => format!("there are {found} {name} devices, {name}:0 to {name}:{}; {SEE}", found - 1),
    }
}

/// Returns the memory of the device in bytes, as its driver reports it.
fn memory_of(device: &Device) -> Option<u64> {
    match device.as_dispatch() {
        DispatchDevice::Cube(device) => device.client().properties().memory.max_memory(),
        _ => None,
    }
}

fn precisions(device: &Device) -> String {
    let known = [("fp32", FloatDType::F32), ("fp16", FloatDType::F16), ("bf16", FloatDType::BF16)];
    let supported = known.into_iter().filter(|(_, dtype)| device.supports_dtype(*dtype));
    supported.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind;

    use super::*;

    struct Broken;

    impl Candidate for Broken {
        fn open(&self) -> Result<Opened, String> {
            resume_unwind(Box::new("no such symbol")) // without a backtrace, because other tests count memory
        }
    }

    #[test]
    fn a_driver_that_panics_is_a_table_row_and_an_error() {
        let row = &find(Backend::Cuda, Ok(vec![Broken])).unwrap()[0];
        assert_eq!(row.device, "cuda:0");
        assert!(row.precisions.starts_with("cannot be used: "), "{}", row.precisions);
        let error = open(Backend::Cuda, Ok(vec![Broken]), 0).unwrap_err();
        assert!(error.starts_with("it was found, but it cannot be used: "), "{error}");
    }

    #[test]
    fn an_unknown_device_number_is_an_error_with_the_valid_ones() {
        let error =
            |found: usize| open(Backend::Wgpu, Ok((0..found).map(|_| Broken).collect()), 7).unwrap_err();
        assert!(error(0).starts_with("no graphics adapter was found"), "{}", error(0));
        assert!(error(1).starts_with("there is one wgpu device, wgpu:0"), "{}", error(1));
        assert!(error(3).starts_with("there are 3 wgpu devices, wgpu:0 to wgpu:2"), "{}", error(3));
    }
}
