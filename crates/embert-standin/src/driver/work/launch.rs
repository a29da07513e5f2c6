//! A launch of a kernel.

use crate::driver::device::MAX_SHARED;
use crate::driver::module::Function;
use crate::emulator::{self, MAX_THREADS};
use crate::{clock, log};

/// A launch with a copy of its parameters.
#[derive(Clone)]
pub(in crate::driver) struct Launch {
    pub(in crate::driver) function: &'static Function,
    pub(in crate::driver) grid: [u32; 3],
    pub(in crate::driver) block: [u32; 3],
    pub(in crate::driver) shared_bytes: u32,
    pub(in crate::driver) stream: u32,
    pub(in crate::driver) parameters: Vec<u128>,
}

impl Launch {
    /// Records the launch and, with emulation, computes it.
    pub(in crate::driver) fn run(self) {
        let Function { name, hash, uses_tensor_cores, program, .. } = self.function;
        let ([x, y, z], [block_x, block_y, block_z]) = (self.grid, self.block);
        log::line(format_args!(
            "launch {hash} {name} grid {x},{y},{z} block {block_x},{block_y},{block_z} shared {} stream {}",
            self.shared_bytes, self.stream
        ));
        clock::pass_launch(*uses_tensor_cores);
        if let Some(program) = program {
            emulator::launch(program, self.grid, self.block, self.shared_bytes, self.parameters);
        }
    }

    /// Returns true if a device can run it.
    pub(in crate::driver) fn is_valid(&self) -> bool {
        let [x, y, z] = self.grid;
        let threads: u64 = self.block.iter().map(|size| u64::from(*size)).product();
        (1..=i32::MAX as u32).contains(&x)
            && (1..=65_535).contains(&y)
            && (1..=65_535).contains(&z)
            && (1..=MAX_THREADS as u64).contains(&threads)
            && self.block[2] <= 64
            && self.shared_bytes <= MAX_SHARED
            && self
                .function
                .program
                .as_ref()
                .is_none_or(|program| emulator::fits_shared(program, self.shared_bytes))
    }
}
