//! Work of a stream: it is done when it is submitted, or recorded for a graph.

mod copies;
mod launch;

use std::ffi::c_int;

pub use copies::Rows;
pub(super) use copies::{Copy, Fill};
pub(super) use launch::Launch;

/// Work of a stream.
#[derive(Clone)]
pub(in crate::driver) enum Work {
    Launch(Launch),
    Copy(Copy),
    Rows(Rows),
    Fill(Fill),
}

impl Work {
    /// # Safety
    /// The addresses of the work are valid.
    pub(in crate::driver) unsafe fn run(self) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Work::Launch(launch) => launch.run(),
                Work::Copy(copy) => copy.run(),
                Work::Rows(rows) => rows.run(),
                Work::Fill(fill) => fill.run(),
            }
        }
    }

    /// The number of this kind of node in the driver interface.
    pub(in crate::driver) fn node_type(&self) -> c_int {
        match self {
            Work::Launch(_) => 0,
            Work::Copy(_) | Work::Rows(_) => 1,
            Work::Fill(_) => 2,
        }
    }
}
