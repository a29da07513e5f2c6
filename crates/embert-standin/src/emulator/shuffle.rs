//! Shuffles, votes, matches and reductions of a warp.

use super::collective::{Reduction, Shuffle, Vote};
use super::lanes::Lanes;

/// `shfl`: inputs are the value, the lane or distance, and the bounds; outputs are the value and whether the source
/// was within the bounds. The formula is that of the PTX documentation.
pub(super) fn shuffle(mode: Shuffle, lanes: &mut Lanes) {
    for lane in lanes.iter() {
        let distance = lanes.input(lane, 1) as i32 & 31;
        let bounds = lanes.input(lane, 2) as i32;
        let (segment, clamp) = (bounds >> 8 & 31, bounds & 31);
        let own = lane as i32;
        let highest = (own & segment) | (clamp & !segment);
        let lowest = own & segment;
        let (source, is_within) = match mode {
            Shuffle::Up => (own - distance, own - distance >= highest),
            Shuffle::Down => (own + distance, own + distance <= highest),
            Shuffle::Butterfly => (own ^ distance, own ^ distance <= highest),
            Shuffle::Index => {
                let source = lowest | (distance & !segment);
                (source, source <= highest)
            }
        };
        let source = if is_within { source as usize } else { lane };
        // A lane outside of the mask has no value; 0 stands for it.
        lanes.output(lane, 0, lanes.input(source, 0));
        lanes.output(lane, 1, u32::from(is_within));
    }
}

/// `vote`: the input is a predicate.
pub(super) fn vote(vote: Vote, lanes: &mut Lanes) {
    let ballot: u32 = lanes.iter().map(|lane| (lanes.input(lane, 0) & 1) << lane).sum();
    let result = match vote {
        Vote::All => u32::from(ballot == lanes.mask),
        Vote::Any => u32::from(ballot != 0),
        Vote::Uniform => u32::from(ballot == 0 || ballot == lanes.mask),
        Vote::Ballot => ballot,
    };
    lanes.iter().for_each(|lane| lanes.output(lane, 0, result));
}

/// `match`: the lanes with the same 64-bit value, or all lanes if all have the same one.
pub(super) fn match_lanes(needs_all: bool, lanes: &mut Lanes) {
    let value = |lanes: &Lanes, lane| (lanes.input(lane, 0), lanes.input(lane, 1));
    for lane in lanes.iter() {
        let own = value(lanes, lane);
        let same: u32 =
            lanes.iter().filter(|other| value(lanes, *other) == own).map(|other| 1u32 << other).sum();
        let all = same == lanes.mask;
        lanes.output(lane, 0, if needs_all && !all { 0 } else { same });
        lanes.output(lane, 1, u32::from(all));
    }
}

/// `redux`: the input is a value.
pub(super) fn reduce(reduction: Reduction, lanes: &mut Lanes) {
    let combine = |a: u32, b: u32| match reduction {
        Reduction::Add => a.wrapping_add(b),
        Reduction::Min => a.min(b),
        Reduction::Max => a.max(b),
        Reduction::MinSigned => (a as i32).min(b as i32) as u32,
        Reduction::MaxSigned => (a as i32).max(b as i32) as u32,
        Reduction::And => a & b,
        Reduction::Or => a | b,
        Reduction::Xor => a ^ b,
    };
    let result = lanes.iter().map(|lane| lanes.input(lane, 0)).reduce(combine).unwrap_or(0);
    lanes.iter().for_each(|lane| lanes.output(lane, 0, result));
}

/// `elect`: the lowest lane is the leader.
pub(super) fn elect(lanes: &mut Lanes) {
    let leader = lanes.mask.trailing_zeros();
    for lane in lanes.iter() {
        lanes.output(lane, 0, leader);
        lanes.output(lane, 1, u32::from(lane as u32 == leader));
    }
}
