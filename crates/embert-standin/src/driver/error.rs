//! Result codes and their names.

use std::ffi::{CStr, c_char};

use super::put;

/// The result code of a function of the driver.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CuResult(pub u32);

impl CuResult {
    /// The function has done its work.
    pub const SUCCESS: Self = Self(0);
    /// An argument has no meaning.
    pub const INVALID_VALUE: Self = Self(1);
    /// The device has less memory.
    pub const OUT_OF_MEMORY: Self = Self(2);
    /// There are fewer devices.
    pub const INVALID_DEVICE: Self = Self(101);
    /// The PTX cannot be read or translated.
    pub const INVALID_PTX: Self = Self(218);
    /// The module has no such function or variable.
    pub const NOT_FOUND: Self = Self(500);
    /// The stand-in does not do this.
    pub const NOT_SUPPORTED: Self = Self(801);
}

/// The codes with their names and descriptions.
const NAMES: [(CuResult, &CStr, &CStr); 7] = [
    (CuResult::SUCCESS, c"CUDA_SUCCESS", c"no error"),
    (CuResult::INVALID_VALUE, c"CUDA_ERROR_INVALID_VALUE", c"invalid argument"),
    (CuResult::OUT_OF_MEMORY, c"CUDA_ERROR_OUT_OF_MEMORY", c"out of memory"),
    (CuResult::INVALID_DEVICE, c"CUDA_ERROR_INVALID_DEVICE", c"invalid device ordinal"),
    (CuResult::INVALID_PTX, c"CUDA_ERROR_INVALID_PTX", c"the stand-in cannot translate the PTX"),
    (CuResult::NOT_FOUND, c"CUDA_ERROR_NOT_FOUND", c"named symbol not found"),
    (CuResult::NOT_SUPPORTED, c"CUDA_ERROR_NOT_SUPPORTED", c"the stand-in does not do this"),
];

fn find(code: CuResult) -> Option<(&'static CStr, &'static CStr)> {
    NAMES.iter().find(|(known, ..)| *known == code).map(|(_, name, text)| (*name, *text))
}

/// Writes the name of a code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorName(code: CuResult, name: *mut *const c_char) -> CuResult {
    let found = find(code).map_or(c"CUDA_ERROR_UNKNOWN", |(name, _)| name);
    // SAFETY: the caller's promise.
    unsafe { put(name, found.as_ptr()) }
}

/// Writes the description of a code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorString(code: CuResult, text: *mut *const c_char) -> CuResult {
    let found = find(code).map_or(c"unknown error", |(_, text)| text);
    // SAFETY: the caller's promise.
    unsafe { put(text, found.as_ptr()) }
}
