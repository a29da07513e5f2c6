//! The lanes of a collective: their inputs and outputs.

use super::thread::{Inputs, Outputs, Thread};

/// The lanes that take part in a collective. The others have inputs of 0, and their outputs go nowhere.
pub(super) struct Lanes {
    pub(super) mask: u32,
    threads: [*mut Thread; 32],
}

impl Lanes {
    /// The lanes of `mask`: lane 0 is `first`, and the others follow.
    ///
    /// # Safety
    /// The threads of the mask exist, wait, and are used by nothing else as long as this value.
    pub(super) unsafe fn new(first: *mut Thread, mask: u32) -> Self {
        let thread = |lane| match mask >> lane & 1 {
            // SAFETY: the threads of the mask exist, and their addresses are those after `first`.
            1 => unsafe { first.add(lane) },
            _ => std::ptr::null_mut(),
        };
        Self { mask, threads: std::array::from_fn(thread) }
    }

    /// The indices of the lanes.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + use<> {
        let mask = self.mask;
        (0..32).filter(move |lane| mask >> lane & 1 == 1)
    }

    /// The inputs of a lane.
    #[inline]
    pub(super) fn inputs(&self, lane: usize) -> &Inputs {
        const NONE: &Inputs = &[0; 28];
        // SAFETY: the pointer is null or a thread that only this value uses.
        unsafe { self.threads[lane].as_ref() }.map_or(NONE, |thread| &thread.inputs)
    }

    /// The outputs of a lane, if it takes part.
    #[inline]
    pub(super) fn outputs(&mut self, lane: usize) -> Option<&mut Outputs> {
        // SAFETY: as in `inputs`, and `self` is borrowed for as long as the result.
        unsafe { self.threads[lane].as_mut() }.map(|thread| &mut thread.outputs)
    }

    /// An input of a lane.
    #[inline]
    pub(super) fn input(&self, lane: usize, index: usize) -> u32 {
        self.inputs(lane)[index]
    }

    /// Sets an output of a lane.
    #[inline]
    pub(super) fn output(&mut self, lane: usize, index: usize, value: u32) {
        if let Some(outputs) = self.outputs(lane) {
            outputs[index] = value;
        }
    }

    /// The address that a lane passes; nothing for a lane that does not take part.
    pub(super) fn address(&self, lane: usize) -> Option<u64> {
        // SAFETY: as in `inputs`.
        unsafe { self.threads[lane].as_ref() }.map(|thread| thread.address)
    }
}
