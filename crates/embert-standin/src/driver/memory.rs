//! Memory of devices and of the host. The memory of a device takes no memory of the host until something writes to it.

use std::collections::HashMap;
use std::ffi::{c_int, c_uint, c_void};
use std::sync::{LazyLock, Mutex, MutexGuard};

use super::{CuResult, DevicePointer, context, put};
use crate::{log, settings};

/// The allocations of a process.
#[derive(Default)]
struct Allocations {
    /// The device and the bytes of each allocation.
    live: HashMap<DevicePointer, (c_int, usize)>,
    devices: HashMap<c_int, Account>,
}

/// The memory of a device in bytes: now, and the most at any time.
#[derive(Clone, Copy, Default)]
struct Account {
    total: usize,
    peak: usize,
}

fn allocations() -> MutexGuard<'static, Allocations> {
    static ALLOCATIONS: LazyLock<Mutex<Allocations>> = LazyLock::new(Mutex::default);
    ALLOCATIONS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Allocates memory of the current device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAlloc_v2(target: *mut DevicePointer, bytes: usize) -> CuResult {
    if bytes == 0 {
        return CuResult::INVALID_VALUE;
    }
    let device = context::current_device();
    let mut allocations = allocations();
    let account = allocations.devices.entry(device).or_default();
    if account.total + bytes > settings::get().memory {
        log::line(format_args!("out of memory: {bytes} with a total of {} device {device}", account.total));
        return CuResult::OUT_OF_MEMORY;
    }
    let Some(address) = map(bytes) else {
        log::line(format_args!("out of the host's address space: {bytes}"));
        return CuResult::OUT_OF_MEMORY;
    };
    account.total += bytes;
    account.peak = account.peak.max(account.total);
    log::line(format_args!("alloc {bytes} total {} peak {} device {device}", account.total, account.peak));
    allocations.live.insert(address, (device, bytes));
    // SAFETY: the caller's promise.
    unsafe { put(target, address) }
}

fn map(bytes: usize) -> Option<DevicePointer> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: an anonymous mapping at an address of the system's choice touches no other memory.
    let start =
        unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    (start != libc::MAP_FAILED).then_some(start as DevicePointer)
}

/// Frees memory of a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemFree_v2(pointer: DevicePointer) -> CuResult {
    let mut allocations = allocations();
    let Some((device, bytes)) = allocations.live.remove(&pointer) else { return CuResult::INVALID_VALUE };
    // SAFETY: the mapping was made by `map` with this size, and the caller uses it no more.
    unsafe { libc::munmap(pointer as *mut c_void, bytes) };
    let account = allocations.devices.entry(device).or_default();
    account.total -= bytes;
    log::line(format_args!("free {bytes} total {} device {device}", account.total));
    CuResult::SUCCESS
}

/// Allocates memory of a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocAsync(
    target: *mut DevicePointer,
    bytes: usize,
    _stream: *mut c_void,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { cuMemAlloc_v2(target, bytes) }
}

/// Frees memory of a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemFreeAsync(pointer: DevicePointer, _stream: *mut c_void) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { cuMemFree_v2(pointer) }
}

/// Writes the free and the total memory of the current device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> CuResult {
    let all = settings::get().memory;
    let (used, _) = allocated(context::current_device());
    // SAFETY: the caller's promise.
    unsafe {
        put(free, all - used);
        put(total, all)
    }
}

/// Allocates memory of the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocHost_v2(target: *mut *mut c_void, bytes: usize) -> CuResult {
    let mut start = std::ptr::null_mut();
    // SAFETY: `start` is valid for a write.
    if unsafe { libc::posix_memalign(&raw mut start, 4096, bytes.max(1)) } != 0 {
        return CuResult::OUT_OF_MEMORY;
    }
    log::line(format_args!("host {bytes}"));
    // SAFETY: the caller's promise.
    unsafe { put(target, start) }
}

/// Allocates memory of the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemHostAlloc(target: *mut *mut c_void, bytes: usize, _flags: c_uint) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { cuMemAllocHost_v2(target, bytes) }
}

/// Frees memory of the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemFreeHost(pointer: *mut c_void) -> CuResult {
    // SAFETY: the caller got the pointer from `cuMemAllocHost_v2`, which uses the allocator of C.
    unsafe { libc::free(pointer) };
    CuResult::SUCCESS
}

/// The bytes of a device that are allocated now, and the most that were at any time.
pub fn allocated(device: c_int) -> (usize, usize) {
    let account = allocations().devices.get(&device).copied().unwrap_or_default();
    (account.total, account.peak)
}
