//! Computes the collectives of a warp.

use super::collective::Collective;
use super::lanes::Lanes;
use super::{matrix, mma, shuffle, wmma};

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
