//! The collectives of a warp: which there are, and what they compute.

use super::matrix::{Fragment, Product};
use super::thread::{Inputs, Outputs, Thread};
use super::{matrix, mma, shuffle, wmma};

/// A collective instruction of a module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Site {
    pub(crate) collective: Collective,
    /// It takes the lanes that wait at this site instead of those of a mask.
    pub(crate) is_converged: bool,
    /// The sites whose lanes a join waits for.
    pub(crate) region: Vec<usize>,
}

/// What threads compute together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Collective {
    /// The only one of a block; the others are of a warp.
    Barrier(Barrier),
    ActiveMask,
    /// Lanes that a branch has separated come together.
    Join,
    WarpBarrier,
    Shuffle(Shuffle),
    Vote(Vote),
    Match {
        needs_all: bool,
    },
    Reduce(Reduction),
    Elect,
    LoadMatrix {
        count: usize,
        is_transposed: bool,
    },
    StoreMatrix {
        count: usize,
        is_transposed: bool,
    },
    Multiply(Product),
    LoadFragment {
        fragment: Fragment,
        is_row_major: bool,
    },
    StoreFragment {
        fragment: Fragment,
        is_row_major: bool,
    },
    MultiplyFragments(Product),
}

/// What a barrier of a block does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Barrier {
    Sync,
    Arrive,
    Count,
    And,
    Or,
}

/// Which lane a shuffle reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shuffle {
    Up,
    Down,
    Butterfly,
    Index,
}

/// What a vote asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Vote {
    All,
    Any,
    Uniform,
    Ballot,
}

/// How `redux` combines the values of lanes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reduction {
    Add,
    Min,
    Max,
    MinSigned,
    MaxSigned,
    And,
    Or,
    Xor,
}

impl Collective {
    /// Whether all 32 lanes must take part.
    pub(super) fn needs_whole_warp(&self) -> bool {
        matches!(
            self,
            Collective::LoadMatrix { .. }
                | Collective::StoreMatrix { .. }
                | Collective::Multiply(_)
                | Collective::LoadFragment { .. }
                | Collective::StoreFragment { .. }
                | Collective::MultiplyFragments(_)
        )
    }
}

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

/// Computes `collective` for `lanes`.
pub(super) fn compute(collective: &Collective, lanes: &mut Lanes) {
    match *collective {
        Collective::Barrier(_) | Collective::ActiveMask | Collective::Join | Collective::WarpBarrier => {}
        Collective::Shuffle(mode) => shuffle::shuffle(mode, lanes),
        Collective::Vote(vote) => shuffle::vote(vote, lanes),
        Collective::Match { needs_all } => shuffle::match_lanes(needs_all, lanes),
        Collective::Reduce(reduction) => shuffle::reduce(reduction, lanes),
        Collective::Elect => shuffle::elect(lanes),
        Collective::LoadMatrix { count, is_transposed } => matrix::load(count, is_transposed, lanes),
        Collective::StoreMatrix { count, is_transposed } => matrix::store(count, is_transposed, lanes),
        Collective::Multiply(product) => mma::multiply(&product, lanes),
        Collective::LoadFragment { fragment, is_row_major } => wmma::load(fragment, is_row_major, lanes),
        Collective::StoreFragment { fragment, is_row_major } => wmma::store(fragment, is_row_major, lanes),
        Collective::MultiplyFragments(product) => wmma::multiply(&product, lanes),
    }
    // The lanes, for collectives that take the place of an `activemask`.
    let mask = lanes.mask;
    if !collective.needs_whole_warp() {
        lanes.iter().for_each(|lane| lanes.output(lane, 7, mask));
    }
}
