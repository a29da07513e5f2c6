//! Tensor maps, which the tensor memory accelerator uses. The stand-in has none.

use std::ffi::c_void;

use super::CuResult;

/// Refuses.
#[unsafe(no_mangle)]
pub extern "C" fn cuTensorMapEncodeTiled(_map: *mut c_void) -> CuResult {
    CuResult::NOT_SUPPORTED
}

/// Refuses.
#[unsafe(no_mangle)]
pub extern "C" fn cuTensorMapEncodeIm2col(_map: *mut c_void) -> CuResult {
    CuResult::NOT_SUPPORTED
}

/// Refuses.
#[unsafe(no_mangle)]
pub extern "C" fn cuTensorMapEncodeIm2colWide(_map: *mut c_void) -> CuResult {
    CuResult::NOT_SUPPORTED
}
