//! Launches of kernels.

use std::ffi::{c_int, c_uint, c_void};

use super::device::MAX_SHARED;
use super::graph::{self, Work};
use super::module::Function;
use super::stream::stream;
use super::{CuResult, put};
use crate::emulator::{self, MAX_THREADS};
use crate::{clock, log};

/// A launch with a copy of its parameters.
#[derive(Clone)]
pub(super) struct Launch {
    function: &'static Function,
    grid: [u32; 3],
    block: [u32; 3],
    shared_bytes: u32,
    stream: u32,
    parameters: Vec<u128>,
}

impl Launch {
    /// Records the launch and, with emulation, computes it.
    pub(super) fn run(self) {
        let Function { name, hash, uses_tensor_cores, program, .. } = self.function;
        let ([x, y, z], [block_x, block_y, block_z]) = (self.grid, self.block);
        log::line(format_args!(
            "launch {hash} {name} grid {x},{y},{z} block {block_x},{block_y},{block_z} shared {} stream {}",
            self.shared_bytes, self.stream
        ));
        clock::pass_launch(*uses_tensor_cores);
        if let Some(program) = program {
            emulator::launch(program, self.grid, self.block, self.shared_bytes, self.parameters);
        }
    }

    /// Whether a device can run it.
    fn is_valid(&self) -> bool {
        let [x, y, z] = self.grid;
        let threads: u64 = self.block.iter().map(|size| u64::from(*size)).product();
        (1..=i32::MAX as u32).contains(&x)
            && (1..=65_535).contains(&y)
            && (1..=65_535).contains(&z)
            && (1..=MAX_THREADS as u64).contains(&threads)
            && self.block[2] <= 64
            && self.shared_bytes <= MAX_SHARED
            && self
                .function
                .program
                .as_ref()
                .is_none_or(|program| emulator::fits_shared(program, self.shared_bytes))
    }
}

/// Launches a kernel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLaunchKernel(
    function: *mut c_void,
    grid_x: c_uint,
    grid_y: c_uint,
    grid_z: c_uint,
    block_x: c_uint,
    block_y: c_uint,
    block_z: c_uint,
    shared_bytes: c_uint,
    handle: *mut c_void,
    parameters: *mut *mut c_void,
    extra: *mut *mut c_void,
) -> CuResult {
    if function.is_null() || !extra.is_null() {
        return CuResult::INVALID_VALUE;
    }
    // SAFETY: the caller got the function from `cuModuleGetFunction`; modules are never freed.
    let function = unsafe { &*function.cast::<Function>() };
    // SAFETY: the caller's promise: one pointer for each parameter of the kernel.
    let parameters = unsafe { copy_parameters(function, parameters) };
    // SAFETY: the caller's promise.
    let stream = unsafe { stream(handle) }.map_or(0, |stream| stream.number);
    let (grid, block) = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
    let launch = Launch { function, grid, block, shared_bytes, stream, parameters };
    if !launch.is_valid() {
        eprintln!("embert-standin: {}: invalid launch {grid:?} {block:?} {shared_bytes}", function.name);
        log::line(format_args!("invalid launch {} {grid:?} {block:?} {shared_bytes}", function.name));
        return CuResult::INVALID_VALUE;
    }
    // SAFETY: that the kernel touches only valid memory is the caller's promise.
    unsafe { graph::submit(handle, Work::Launch(launch)) }
}

/// Copies the parameters of a launch to their offsets.
///
/// # Safety
/// `parameters` has a pointer for each parameter of the kernel, valid for its bytes.
unsafe fn copy_parameters(function: &Function, parameters: *mut *mut c_void) -> Vec<u128> {
    let mut buffer = vec![0u128; function.parameter_bytes.div_ceil(16)];
    for (index, (offset, bytes)) in function.parameters.iter().enumerate() {
        // SAFETY: the caller's promise; the offset and the bytes are within `parameter_bytes`.
        unsafe {
            let from = (*parameters.add(index)).cast::<u8>();
            buffer.as_mut_ptr().cast::<u8>().add(*offset).copy_from_nonoverlapping(from, *bytes);
        }
    }
    buffer
}

/// Checks an attribute of a kernel: only the size of dynamic shared memory (8) has a limit.
#[unsafe(no_mangle)]
pub extern "C" fn cuFuncSetAttribute(_function: *mut c_void, attribute: c_int, value: c_int) -> CuResult {
    if attribute == 8 && value > MAX_SHARED as c_int { CuResult::INVALID_VALUE } else { CuResult::SUCCESS }
}

/// Writes an attribute of a kernel: 1024 threads (0), else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuFuncGetAttribute(
    value: *mut c_int,
    attribute: c_int,
    _function: *mut c_void,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put(value, if attribute == 0 { MAX_THREADS as c_int } else { 0 }) }
}

/// Does nothing: caches are the CPU's.
#[unsafe(no_mangle)]
pub extern "C" fn cuFuncSetCacheConfig(_function: *mut c_void, _config: c_int) -> CuResult {
    CuResult::SUCCESS
}
