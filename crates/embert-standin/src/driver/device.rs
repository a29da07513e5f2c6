//! Devices: all are an H200.

use std::ffi::{c_char, c_int, c_uint};

use super::{CuResult, put};
use crate::{log, settings};

/// Numbers of attributes and an H200's values. Others are 0.
const ATTRIBUTES: [(c_int, c_int); 34] = [
    (1, 1024),           // threads of a block
    (2, 1024),           // block x
    (3, 1024),           // block y
    (4, 64),             // block z
    (5, 2_147_483_647),  // grid x
    (6, 65_535),         // grid y
    (7, 65_535),         // grid z
    (8, 49_152),         // shared memory of a block
    (9, 65_536),         // constant memory
    (10, 32),            // threads of a warp
    (11, 2_147_483_647), // pitch
    (12, 65_536),        // registers of a block
    (13, 1_980_000),     // clock in kHz
    (14, 512),           // alignment of textures
    (16, 132),           // multiprocessors
    (19, 1),             // maps host memory
    (31, 1),             // concurrent kernels
    (32, 1),             // ECC
    (33, 27),            // PCI bus
    (36, 3_201_000),     // memory clock in kHz
    (37, 6144),          // memory bus in bits
    (38, 62_914_560),    // L2 cache
    (39, 2048),          // threads of a multiprocessor
    (40, 3),             // copy engines
    (41, 1),             // unified addresses
    (75, 9),             // compute capability
    (76, 0),
    (78, 1),       // priorities of streams
    (81, 233_472), // shared memory of a multiprocessor
    (82, 65_536),  // registers of a multiprocessor
    (95, 1),       // cooperative launch
    (97, 232_448), // shared memory of a block, when asked for
    (106, 32),     // blocks of a multiprocessor
    (115, 1),      // memory pools
];

/// The largest shared memory of a block.
pub(super) const MAX_SHARED: u32 = 232_448;

/// Does nothing: there is nothing to start.
#[unsafe(no_mangle)]
pub extern "C" fn cuInit(_flags: c_uint) -> CuResult {
    CuResult::SUCCESS
}

/// Writes the version of CUDA.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put(version, settings::get().version) }
}

/// Writes the number of devices.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put(count, settings::get().devices) }
}

/// Writes the handle of a device: its number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGet(device: *mut c_int, ordinal: c_int) -> CuResult {
    if !(0..settings::get().devices).contains(&ordinal) {
        return CuResult::INVALID_DEVICE;
    }
    // SAFETY: the caller's promise.
    unsafe { put(device, ordinal) }
}

/// Writes the name of a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, length: c_int, _device: c_int) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put_text(name, length, "NVIDIA H200") }
}

/// Writes the address of a device on the bus.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetPCIBusId(text: *mut c_char, length: c_int, device: c_int) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put_text(text, length, &format!("0000:{:02x}:00.0", 0x1b + device)) }
}

/// Writes `text` with a 0 at its end.
///
/// # Safety
/// `target` is valid for `length` bytes.
unsafe fn put_text(target: *mut c_char, length: c_int, text: &str) -> CuResult {
    let Some(room) = usize::try_from(length).ok().and_then(|length| length.checked_sub(1)) else {
        return CuResult::INVALID_VALUE;
    };
    let count = text.len().min(room);
    // SAFETY: the caller's promise; `count` and the 0 are at most `length` bytes.
    unsafe {
        target.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), count);
        target.add(count).write(0);
    }
    CuResult::SUCCESS
}

/// Writes an identifier of a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetUuid(uuid: *mut [u8; 16], device: c_int) -> CuResult {
    let mut value = *b"embert-standin\0\0";
    value[15] = device as u8;
    // SAFETY: the caller's promise.
    unsafe { put(uuid, value) }
}

/// Writes an identifier of a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetUuid_v2(uuid: *mut [u8; 16], device: c_int) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { cuDeviceGetUuid(uuid, device) }
}

/// Writes the memory of a device in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, _device: c_int) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put(bytes, settings::get().memory) }
}

/// Writes an attribute of a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetAttribute(
    value: *mut c_int,
    attribute: c_int,
    _device: c_int,
) -> CuResult {
    let found = ATTRIBUTES.iter().find(|(number, _)| *number == attribute);
    if found.is_none() {
        log::line(format_args!("attribute {attribute} is not known"));
    }
    // SAFETY: the caller's promise.
    unsafe { put(value, found.map_or(0, |(_, value)| *value)) }
}

/// Writes that every device can use the memory of every other one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceCanAccessPeer(can: *mut c_int, _device: c_int, _peer: c_int) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put(can, 1) }
}
