//! Copies between the host and devices, and filling of memory.

use std::ffi::{c_int, c_uint, c_void};

use super::graph::{self, Work};
use super::{CuResult, DevicePointer};
use crate::{log, settings};

/// A copy of `bytes` between addresses. Without emulation large copies within devices move nothing, so that memory
/// which no kernel writes stays untouched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copy {
    pub(super) name: &'static str,
    pub(super) to: u64,
    pub(super) from: u64,
    pub(super) bytes: usize,
}

impl Copy {
    /// # Safety
    /// Both addresses are valid for the bytes.
    pub(super) unsafe fn run(self) {
        log::line(format_args!("{} {}", self.name, self.bytes));
        let is_needless = self.name == "D2D" && !settings::get().emulate && self.bytes >= 1 << 20;
        if !is_needless {
            // SAFETY: the caller's promise.
            unsafe { std::ptr::copy(self.from as *const u8, self.to as *mut u8, self.bytes) }
        }
    }
}

/// # Safety
/// Both addresses are valid for the bytes when the stream reaches the copy.
unsafe fn copy(name: &'static str, to: u64, from: u64, bytes: usize, stream: *mut c_void) -> CuResult {
    let copy = Copy { name, to, from, bytes };
    // SAFETY: the caller's promise.
    unsafe { graph::submit(stream, Work::Copy(copy)) }
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

/// One side of a copy of rows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Side {
    x_in_bytes: usize,
    y: usize,
    /// 1: host, 2: device, 4: unified.
    memory_type: c_int,
    host: u64,
    device: DevicePointer,
    array: u64,
    pitch: usize,
}

impl Side {
    /// The address of a row; nothing for memory that is not linear.
    fn row(&self, row: usize) -> Option<u64> {
        let start = match self.memory_type {
            1 => self.host,
            2 | 4 => self.device,
            _ => return None,
        };
        Some(start + ((self.y + row) * self.pitch + self.x_in_bytes) as u64)
    }
}

/// A copy of rows, `CUDA_MEMCPY2D`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    from: Side,
    to: Side,
    width_in_bytes: usize,
    height: usize,
}

impl Rows {
    /// # Safety
    /// Both sides are valid for the rows.
    pub(super) unsafe fn run(self) {
        let (bytes, rows) = (self.width_in_bytes, self.height);
        let direction = match (self.from.memory_type, self.to.memory_type) {
            (1, _) => "H2D",
            (_, 1) => "D2H",
            _ => "D2D",
        };
        log::line(format_args!("{direction} {} rows {rows}", bytes * rows));
        for row in 0..rows {
            let (Some(from), Some(to)) = (self.from.row(row), self.to.row(row)) else { return };
            // SAFETY: the caller's promise.
            unsafe { std::ptr::copy(from as *const u8, to as *mut u8, bytes) }
        }
    }
}

/// Copies rows with a pitch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpy2DAsync_v2(rows: *const Rows, stream: *mut c_void) -> CuResult {
    if rows.is_null() {
        return CuResult::INVALID_VALUE;
    }
    // SAFETY: the caller's promise; null was refused.
    let rows = unsafe { *rows };
    if rows.from.row(0).is_none() || rows.to.row(0).is_none() {
        return CuResult::NOT_SUPPORTED;
    }
    // SAFETY: the caller's promise.
    unsafe { graph::submit(stream, Work::Rows(rows)) }
}

/// Filling of memory with one value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fill {
    to: u64,
    value: u32,
    size: usize,
    count: usize,
}

impl Fill {
    /// # Safety
    /// The address is valid for `count` values of `size` bytes.
    pub(super) unsafe fn run(self) {
        log::line(format_args!("fill {}", self.count * self.size));
        let value = self.value.to_le_bytes();
        // SAFETY: the caller's promise.
        let target = unsafe { std::slice::from_raw_parts_mut(self.to as *mut u8, self.count * self.size) };
        target.chunks_exact_mut(self.size).for_each(|chunk| chunk.copy_from_slice(&value[..self.size]));
    }
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
    unsafe { graph::submit(stream, Work::Fill(Fill { to, value: u32::from(value), size: 1, count })) }
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
    unsafe { graph::submit(stream, Work::Fill(Fill { to, value, size: 4, count })) }
}
