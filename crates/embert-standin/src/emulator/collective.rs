//! The collectives of a warp: which there are.

use super::matrix::{Fragment, Product};

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
