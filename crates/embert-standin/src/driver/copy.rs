//! Copies between the host and devices, and filling of memory.

use std::ffi::{c_uint, c_void};

use super::stream::submit;
use super::work::{Copy, Fill, Rows, Work};
use super::{CuResult, DevicePointer};

/// # Safety
/// Both addresses are valid for the bytes when the stream reaches the copy.
unsafe fn copy(name: &'static str, to: u64, from: u64, bytes: usize, stream: *mut c_void) -> CuResult {
    let copy = Copy { name, to, from, bytes };
    // SAFETY: the caller's promise.
    unsafe { submit(stream, Work::Copy(copy)) }
}

/// Copies from the host to a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoDAsync_v2(
    to: DevicePointer,
    from: *const c_void,
    bytes: usize,
    stream: *mut c_void,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { copy("H2D", to, from as u64, bytes, stream) }
}

/// Copies from the host to a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoD_v2(to: DevicePointer, from: *const c_void, bytes: usize) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { copy("H2D", to, from as u64, bytes, std::ptr::null_mut()) }
}

/// Copies from a device to the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoHAsync_v2(
    to: *mut c_void,
    from: DevicePointer,
    bytes: usize,
    stream: *mut c_void,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { copy("D2H", to as u64, from, bytes, stream) }
}

/// Copies from a device to the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoH_v2(to: *mut c_void, from: DevicePointer, bytes: usize) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { copy("D2H", to as u64, from, bytes, std::ptr::null_mut()) }
}

/// Copies within a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoDAsync_v2(
    to: DevicePointer,
    from: DevicePointer,
    bytes: usize,
    stream: *mut c_void,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { copy("D2D", to, from, bytes, stream) }
}

/// Copies within a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoD_v2(to: DevicePointer, from: DevicePointer, bytes: usize) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { copy("D2D", to, from, bytes, std::ptr::null_mut()) }
}

/// Copies from one device to another.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyPeerAsync(
    to: DevicePointer,
    _to_context: *mut c_void,
    from: DevicePointer,
    _from_context: *mut c_void,
    bytes: usize,
    stream: *mut c_void,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { copy("D2D", to, from, bytes, stream) }
}

/// Copies rows with a pitch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpy2DAsync_v2(rows: *const Rows, stream: *mut c_void) -> CuResult {
    if rows.is_null() {
        return CuResult::INVALID_VALUE;
    }
    // SAFETY: the caller's promise; null was refused.
    let rows = unsafe { *rows };
    if !rows.are_linear() {
        return CuResult::NOT_SUPPORTED;
    }
    // SAFETY: the caller's promise.
    unsafe { submit(stream, Work::Rows(rows)) }
}

/// Fills bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemsetD8Async(
    to: DevicePointer,
    value: u8,
    count: usize,
    stream: *mut c_void,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { submit(stream, Work::Fill(Fill { to, value: u32::from(value), size: 1, count })) }
}

/// Fills bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemsetD8_v2(to: DevicePointer, value: u8, count: usize) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { cuMemsetD8Async(to, value, count, std::ptr::null_mut()) }
}

/// Fills 32-bit values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemsetD32Async(
    to: DevicePointer,
    value: c_uint,
    count: usize,
    stream: *mut c_void,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { submit(stream, Work::Fill(Fill { to, value, size: 4, count })) }
}
