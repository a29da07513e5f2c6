//! Launches of kernels.

use std::ffi::{c_int, c_uint, c_void};

use super::device::MAX_SHARED;
use super::module::Function;
use super::stream::{stream, submit};
use super::work::{Launch, Work};
use super::{CuResult, put};
use crate::emulator::MAX_THREADS;
use crate::log;

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
    unsafe { submit(handle, Work::Launch(launch)) }
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
