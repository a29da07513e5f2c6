//! The CPU: Burn's backend Flex with embert's operations.

use burn::tensor::Device;
use embert_kernels::{Precision, instructions};

use super::{Backend, DeviceInfo, SEE};
use crate::machine::{self, MachineMemory};
use crate::report;

/// Opens the only CPU device.
pub(super) fn open(number: usize) -> Result<Device, String> {
    match number {
        0 => Ok(Device::flex()),
        _ => Err(format!("there is one CPU device, cpu; {SEE}")),
    }
}

pub(super) fn found() -> DeviceInfo {
    DeviceInfo {
        device: Backend::Cpu.name().to_owned(),
        name: machine::processor(),
        memory: MachineMemory::now().map(|memory| format!("{} available", report::size(memory.available()))),
        driver: format!("none; {} threads", rayon::current_num_threads()),
        precisions: precisions(),
    }
}

/// Names the instructions of fp32 and, if they differ, of bf16.
fn precisions() -> String {
    let [fp32, bf16] = [Precision::Fp32, Precision::Bf16].map(instructions);
    if fp32 == bf16 { fp32.to_owned() } else { format!("{fp32}, {bf16}") }
}
