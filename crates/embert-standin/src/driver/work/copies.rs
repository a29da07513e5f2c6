//! Copies of memory, and filling of memory.

use std::ffi::c_int;

use crate::driver::DevicePointer;
use crate::{log, settings};

/// A copy of `bytes` between addresses. Without emulation large copies within devices move nothing, so that memory
/// which no kernel writes stays untouched.
#[derive(Clone, Copy, Debug)]
pub(in crate::driver) struct Copy {
    pub(in crate::driver) name: &'static str,
    pub(in crate::driver) to: u64,
    pub(in crate::driver) from: u64,
    pub(in crate::driver) bytes: usize,
}

impl Copy {
    /// # Safety
    /// Both addresses are valid for the bytes.
    pub(in crate::driver) unsafe fn run(self) {
        log::line(format_args!("{} {}", self.name, self.bytes));
        let is_needless = self.name == "D2D" && !settings::get().emulate && self.bytes >= 1 << 20;
        if !is_needless {
            // SAFETY: the caller's promise.
            unsafe { std::ptr::copy(self.from as *const u8, self.to as *mut u8, self.bytes) }
        }
    }
}

/// One side of a copy of rows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Side {
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
    /// Returns true if both sides are linear memory.
    pub(in crate::driver) fn are_linear(&self) -> bool {
        self.from.row(0).is_some() && self.to.row(0).is_some()
    }

    /// # Safety
    /// Both sides are valid for the rows.
    pub(in crate::driver) unsafe fn run(self) {
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

/// Filling of memory with one value.
#[derive(Clone, Copy, Debug)]
pub(in crate::driver) struct Fill {
    pub(in crate::driver) to: u64,
    pub(in crate::driver) value: u32,
    pub(in crate::driver) size: usize,
    pub(in crate::driver) count: usize,
}

impl Fill {
    /// # Safety
    /// The address is valid for `count` values of `size` bytes.
    pub(in crate::driver) unsafe fn run(self) {
        log::line(format_args!("fill {}", self.count * self.size));
        let value = self.value.to_le_bytes();
        // SAFETY: the caller's promise.
        let target = unsafe { std::slice::from_raw_parts_mut(self.to as *mut u8, self.count * self.size) };
        target.chunks_exact_mut(self.size).for_each(|chunk| chunk.copy_from_slice(&value[..self.size]));
    }
}
