//! Contexts: each device has one, whose handle is a number.

use std::cell::Cell;
use std::ffi::{c_int, c_uint, c_void};

use super::{CuResult, put};

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

fn context(device: c_int) -> *mut c_void {
    std::ptr::without_provenance_mut(0x1000 + device as usize)
}

/// The device of the calling thread's context; without a context it is device 0.
pub(super) fn current_device() -> c_int {
    CURRENT.get().saturating_sub(0x1000) as c_int
}

/// Writes the context of a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDevicePrimaryCtxRetain(target: *mut *mut c_void, device: c_int) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put(target, context(device)) }
}

/// Does nothing: the context stays.
#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxRelease_v2(_device: c_int) -> CuResult {
    CuResult::SUCCESS
}

/// Makes a context the one of the calling thread.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCurrent(context: *mut c_void) -> CuResult {
    CURRENT.set(context.addr());
    CuResult::SUCCESS
}

/// Writes the context of the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetCurrent(target: *mut *mut c_void) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put(target, std::ptr::without_provenance_mut(CURRENT.get())) }
}

/// Writes the device of the calling thread's context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetDevice(device: *mut c_int) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put(device, current_device()) }
}

/// Does nothing: all work is done.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSynchronize() -> CuResult {
    CuResult::SUCCESS
}

/// Does nothing: flags are about waiting.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetFlags(_flags: c_uint) -> CuResult {
    CuResult::SUCCESS
}

/// Does nothing: there are no limits.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetLimit(_limit: c_int, _value: usize) -> CuResult {
    CuResult::SUCCESS
}

/// Writes a limit: always 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetLimit(value: *mut usize, _limit: c_int) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put(value, 0) }
}

/// Does nothing: all memory is one.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxEnablePeerAccess(_context: *mut c_void, _flags: c_uint) -> CuResult {
    CuResult::SUCCESS
}

/// Writes the lowest and the highest priority of streams.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetStreamPriorityRange(least: *mut c_int, greatest: *mut c_int) -> CuResult {
    if !least.is_null() {
        // SAFETY: the caller's promise.
        unsafe { least.write(0) };
    }
    if !greatest.is_null() {
        // SAFETY: the caller's promise.
        unsafe { greatest.write(-5) };
    }
    CuResult::SUCCESS
}
