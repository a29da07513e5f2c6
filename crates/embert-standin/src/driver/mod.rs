//! The functions of the CUDA driver interface, by topic.
//!
//! They have the signatures and the meaning of NVIDIA's documentation. All work is done before a function returns, so
//! that streams and events have nothing to wait for.

#![expect(
    clippy::missing_safety_doc,
    reason = "the callers' duties are those of the CUDA driver interface: valid pointers and handles"
)]

pub mod context;
pub mod copy;
pub mod device;
pub mod error;
pub mod event;
pub mod graph;
pub mod launch;
pub mod memory;
pub mod module;
pub mod stream;
pub mod tensor_map;
pub mod work;

pub use error::CuResult;

/// An address in the memory of a device.
pub type DevicePointer = u64;

/// Writes a result through a pointer of the caller.
///
/// # Safety
/// `target` is null or valid for a write.
unsafe fn put<T>(target: *mut T, value: T) -> CuResult {
    if target.is_null() {
        return CuResult::INVALID_VALUE;
    }
    // SAFETY: the caller's promise.
    unsafe { target.write(value) };
    CuResult::SUCCESS
}
