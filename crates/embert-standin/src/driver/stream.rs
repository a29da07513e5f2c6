//! Streams. Work is done when it is submitted, so that a stream only has a number, and the work that it records for a
//! graph.

use std::ffi::{c_int, c_uint, c_void};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use super::work::Work;
use super::{CuResult, put};
use crate::log;

/// A stream.
pub(super) struct Stream {
    pub(super) number: u32,
    /// The work of a graph that is being recorded.
    pub(super) capture: Mutex<Option<Vec<Work>>>,
}

/// The stream of a handle; nothing for the default stream.
///
/// # Safety
/// `handle` is null, one of the two constants for default streams, or from `cuStreamCreate`.
pub(super) unsafe fn stream<'a>(handle: *mut c_void) -> Option<&'a Stream> {
    if handle.addr() <= 2 {
        return None;
    }
    // SAFETY: the caller's promise; streams are never freed.
    Some(unsafe { &*handle.cast::<Stream>() })
}

/// Does `work`, or records it if the stream records a graph.
///
/// # Safety
/// `handle` is a stream, and the addresses of the work are valid when it is done.
pub(super) unsafe fn submit(handle: *mut c_void, work: Work) -> CuResult {
    // SAFETY: the caller's promise.
    if let Some(stream) = unsafe { stream(handle) } {
        let mut capture = stream.capture.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(graph) = capture.as_mut() {
            graph.push(work);
            return CuResult::SUCCESS;
        }
    }
    // SAFETY: the caller's promise.
    unsafe { work.run() };
    CuResult::SUCCESS
}

/// Makes a stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreate(target: *mut *mut c_void, _flags: c_uint) -> CuResult {
    static STREAMS: AtomicU32 = AtomicU32::new(0);
    let number = STREAMS.fetch_add(1, Ordering::Relaxed) + 1;
    log::line(format_args!("stream {number}"));
    let stream = Box::leak(Box::new(Stream { number, capture: Mutex::new(None) }));
    // SAFETY: the caller's promise.
    unsafe { put(target, std::ptr::from_mut(stream).cast()) }
}

/// Makes a stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreateWithPriority(
    target: *mut *mut c_void,
    flags: c_uint,
    _priority: c_int,
) -> CuResult {
    // SAFETY: the caller's promise.
    unsafe { cuStreamCreate(target, flags) }
}

/// Does nothing: a stream is small and stays.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamDestroy_v2(_stream: *mut c_void) -> CuResult {
    CuResult::SUCCESS
}

/// Does nothing: all work is done.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamSynchronize(_stream: *mut c_void) -> CuResult {
    CuResult::SUCCESS
}

/// Returns that all work is done.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamQuery(_stream: *mut c_void) -> CuResult {
    CuResult::SUCCESS
}

/// Does nothing: all work before the event is done.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamWaitEvent(_stream: *mut c_void, _event: *mut c_void, _flags: c_uint) -> CuResult {
    CuResult::SUCCESS
}

/// Calls a function of the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLaunchHostFunc(
    _stream: *mut c_void,
    function: Option<unsafe extern "C" fn(*mut c_void)>,
    data: *mut c_void,
) -> CuResult {
    let Some(function) = function else { return CuResult::INVALID_VALUE };
    // SAFETY: the caller's promise: the function may be called with the data.
    unsafe { function(data) };
    CuResult::SUCCESS
}
