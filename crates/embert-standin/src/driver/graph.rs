//! Graphs: work that a stream records instead of doing it, and that is done at each launch of the graph.

use std::ffi::{c_int, c_uint, c_void};
use std::sync::PoisonError;

use super::stream::stream;
use super::work::Work;
use super::{CuResult, put};
use crate::log;

/// A graph: its work in order. Its copy is an executable graph.
type Graph = Vec<Work>;

/// Begins to record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamBeginCapture_v2(handle: *mut c_void, _mode: c_int) -> CuResult {
    // SAFETY: the caller's promise.
    let Some(stream) = (unsafe { stream(handle) }) else { return CuResult::NOT_SUPPORTED };
    *stream.capture.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    CuResult::SUCCESS
}

/// Ends recording and writes the graph.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamEndCapture(handle: *mut c_void, target: *mut *mut c_void) -> CuResult {
    // SAFETY: the caller's promise.
    let Some(stream) = (unsafe { stream(handle) }) else { return CuResult::NOT_SUPPORTED };
    let Some(graph) = stream.capture.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return CuResult::INVALID_VALUE;
    };
    log::line(format_args!("graph of {} nodes", graph.len()));
    // SAFETY: the caller's promise.
    unsafe { put(target, Box::into_raw(Box::new(graph)).cast()) }
}

/// Writes whether a stream records: 1 or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamIsCapturing(handle: *mut c_void, status: *mut c_int) -> CuResult {
    // SAFETY: the caller's promise.
    let stream = unsafe { stream(handle) };
    let is_capturing =
        stream.is_some_and(|stream| stream.capture.lock().unwrap_or_else(PoisonError::into_inner).is_some());
    // SAFETY: the caller's promise.
    unsafe { put(status, c_int::from(is_capturing)) }
}

/// Makes an executable graph.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGraphInstantiateWithFlags(
    target: *mut *mut c_void,
    graph: *mut c_void,
    _flags: u64,
) -> CuResult {
    // SAFETY: the caller got the graph from `cuStreamEndCapture`.
    let copy = unsafe { (*graph.cast::<Graph>()).clone() };
    // SAFETY: the caller's promise.
    unsafe { put(target, Box::into_raw(Box::new(copy)).cast()) }
}

/// Does the work of an executable graph.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGraphLaunch(graph: *mut c_void, _stream: *mut c_void) -> CuResult {
    // SAFETY: the caller got the graph from `cuGraphInstantiateWithFlags`.
    let graph = unsafe { (*graph.cast::<Graph>()).clone() };
    log::line(format_args!("graph launch of {} nodes", graph.len()));
    for work in graph {
        // SAFETY: the caller's promise.
        unsafe { work.run() };
    }
    CuResult::SUCCESS
}

/// Does nothing: there is nothing to prepare.
#[unsafe(no_mangle)]
pub extern "C" fn cuGraphUpload(_graph: *mut c_void, _stream: *mut c_void) -> CuResult {
    CuResult::SUCCESS
}

/// Writes the nodes of a graph, at most `count` of them, or only their number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGraphGetNodes(
    graph: *mut c_void,
    nodes: *mut *mut c_void,
    count: *mut usize,
) -> CuResult {
    // SAFETY: the caller got the graph from `cuStreamEndCapture`, and `count` is valid.
    let (graph, count) = unsafe { (&*graph.cast::<Graph>(), &mut *count) };
    if nodes.is_null() {
        *count = graph.len();
        return CuResult::SUCCESS;
    }
    *count = graph.len().min(*count);
    for (index, work) in graph[..*count].iter().enumerate() {
        // SAFETY: the caller's promise: there is room for `count` nodes.
        unsafe { nodes.add(index).write(std::ptr::from_ref(work).cast_mut().cast()) };
    }
    CuResult::SUCCESS
}

/// Writes the kind of a node.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGraphNodeGetType(node: *mut c_void, kind: *mut c_int) -> CuResult {
    // SAFETY: the caller got the node from `cuGraphGetNodes`, and its graph lives.
    unsafe { put(kind, (*node.cast::<Work>()).node_type()) }
}

/// Frees a graph.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGraphDestroy(graph: *mut c_void) -> CuResult {
    if !graph.is_null() {
        // SAFETY: the caller got the graph from `cuStreamEndCapture` and uses it no more.
        drop(unsafe { Box::from_raw(graph.cast::<Graph>()) });
    }
    CuResult::SUCCESS
}

/// Frees an executable graph.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGraphExecDestroy(graph: *mut c_void) -> CuResult {
    // SAFETY: an executable graph is a graph of its own.
    unsafe { cuGraphDestroy(graph) }
}

/// Refuses: recorded work cannot be changed.
#[unsafe(no_mangle)]
pub extern "C" fn cuGraphExecUpdate_v2(
    _graph: *mut c_void,
    _other: *mut c_void,
    _info: *mut c_void,
) -> CuResult {
    CuResult::NOT_SUPPORTED
}

/// Refuses: only streams make graphs.
#[unsafe(no_mangle)]
pub extern "C" fn cuGraphCreate(_target: *mut *mut c_void, _flags: c_uint) -> CuResult {
    CuResult::NOT_SUPPORTED
}
