//! Events: points in the pretended time.

use std::ffi::{c_uint, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{CuResult, put};
use crate::clock;

/// An event: the time at which it was recorded.
type Event = AtomicU64;

/// Makes an event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventCreate(target: *mut *mut c_void, _flags: c_uint) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { put(target, Box::into_raw(Box::new(Event::new(0))).cast()) }
}

/// Frees an event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventDestroy_v2(event: *mut c_void) -> CuResult {
    if event.is_null() {
        return CuResult::INVALID_VALUE;
    }
    // SAFETY: the caller got the event from `cuEventCreate` and uses it no more.
    drop(unsafe { Box::from_raw(event.cast::<Event>()) });
    CuResult::SUCCESS
}

/// Gives an event the time of now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventRecord(event: *mut c_void, _stream: *mut c_void) -> CuResult {
    // SAFETY: the caller got the event from `cuEventCreate`.
    let Some(event) = (unsafe { event.cast::<Event>().as_ref() }) else { return CuResult::INVALID_VALUE };
    event.store(clock::microseconds(), Ordering::Relaxed);
    CuResult::SUCCESS
}

/// Does nothing: all work is done.
#[unsafe(no_mangle)]
pub extern "C" fn cuEventSynchronize(_event: *mut c_void) -> CuResult {
    CuResult::SUCCESS
}

/// Returns that all work is done.
#[unsafe(no_mangle)]
pub extern "C" fn cuEventQuery(_event: *mut c_void) -> CuResult {
    CuResult::SUCCESS
}

/// Writes the milliseconds between two events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime(
    milliseconds: *mut f32,
    start: *mut c_void,
    end: *mut c_void,
) -> CuResult {
    // SAFETY: the caller got both events from `cuEventCreate`.
    let events = unsafe { (start.cast::<Event>().as_ref(), end.cast::<Event>().as_ref()) };
    let (Some(start), Some(end)) = events else { return CuResult::INVALID_VALUE };
    let microseconds = end.load(Ordering::Relaxed) as f64 - start.load(Ordering::Relaxed) as f64;
    // SAFETY: the caller's promise.
    unsafe { put(milliseconds, (microseconds / 1000.0) as f32) }
}

/// Writes the milliseconds between two events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime_v2(
    milliseconds: *mut f32,
    start: *mut c_void,
    end: *mut c_void,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { cuEventElapsedTime(milliseconds, start, end) }
}
