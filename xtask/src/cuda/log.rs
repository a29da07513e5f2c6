//! The log of the stand-in driver: launches, copies and allocations, split into training steps.

use std::collections::BTreeMap;

/// An event of the driver.
#[derive(Debug, PartialEq)]
pub(super) enum Event {
    /// A launch of the kernel with this name.
    Launch(String),
    Copy(Copy),
    /// The bytes that the device has reserved after an allocation or a release.
    Reserved(u64),
}

/// A copy of `bytes`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Copy {
    pub direction: Direction,
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToDevice,
    ToHost,
    OnDevice,
}

/// The events of one training step.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Step {
    pub launches: usize,
    pub copies: Vec<Copy>,
    /// The highest number of bytes reserved on all devices.
    pub reserved: u64,
}

/// The bytes of the loss and the gradient norm, which the benchmark reads at the end of each step.
const LOSS_AND_NORM: u64 = 8;

/// Splits a log into steps. A step ends with the copy of loss and gradient norm to the host.
pub(super) fn steps(log: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut step = Step::default();
    for event in log.lines().filter_map(parse) {
        match event {
            Event::Launch(_) => step.launches += 1,
            Event::Reserved(bytes) => step.reserved = step.reserved.max(bytes),
            Event::Copy(copy) => {
                step.copies.push(copy);
                if copy == (Copy { direction: Direction::ToHost, bytes: LOSS_AND_NORM }) {
                    let next = Step { reserved: step.reserved, ..Step::default() };
                    steps.push(std::mem::replace(&mut step, next));
                }
            }
        }
    }
    steps
}

/// Returns the number of launches of each kernel, without the hash at the end of its name.
pub(super) fn launches_by_kernel(log: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in log.lines().filter_map(parse) {
        if let Event::Launch(name) = event {
            *counts.entry(without_hash(&name).to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Returns `attend` for `attend_0123abcd`.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((base, hash)) if hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => base,
        _ => name,
    }
}

/// Parses a line. The first word is the event; other lines and further words are ignored.
///
/// `launch HASH KERNEL ...` is a launch, `H2D BYTES`, `D2H BYTES` and `D2D BYTES` are copies. `alloc BYTES total TOTAL`
/// and `free BYTES total TOTAL` change the memory of the devices.
fn parse(line: &str) -> Option<Event> {
    let mut words = line.split_whitespace();
    let event = words.next()?;
    let copy =
        |direction, bytes: Option<&str>| Some(Event::Copy(Copy { direction, bytes: bytes?.parse().ok()? }));
    match event {
        "launch" => words.nth(1).map(|name| Event::Launch(name.to_owned())),
        "H2D" => copy(Direction::ToDevice, words.next()),
        "D2H" => copy(Direction::ToHost, words.next()),
        "D2D" => copy(Direction::OnDevice, words.next()),
        "alloc" | "free" => {
            let mut words = words.skip_while(|word| *word != "total").skip(1);
            Some(Event::Reserved(words.next()?.parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
stream 1 at 0.0
alloc 2048 total 2048 peak 2048 at 0.1
H2D 64 at 0.2
launch 0f attend_0123abcd grid 1,2,3 block 64,1,1 shared 0 stream 1 at 0.3
alloc 4096 total 6144 peak 6144 at 0.4
D2H 8 at 0.5
free 4096 total 2048 at 0.5
launch 0f attend_0123abcd grid 1,2,3 block 64,1,1 shared 0 stream 1 at 0.6
launch 10 normalize_ffffffff grid 1,1,1 block 64,1,1 shared 0 stream 1 at 0.6
D2D 128 rows 2 at 0.7
D2H 8 at 0.8
launch 0f attend_89ab0123 grid 1,2,3 block 64,1,1 shared 0 stream 1 at 0.9
";

    #[test]
    fn a_step_ends_when_the_loss_is_read() {
        let steps = steps(LOG);
        assert_eq!(steps.iter().map(|step| step.launches).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(steps.iter().map(|step| step.reserved).collect::<Vec<_>>(), [6144, 6144]);
        assert_eq!(steps[1].copies[0], Copy { direction: Direction::OnDevice, bytes: 128 });
    }

    #[test]
    fn kernels_are_counted_without_their_hash() {
        let counts = launches_by_kernel(LOG);
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("attend".into(), 3), ("normalize".into(), 1)]);
        assert_eq!(without_hash("sum_partial_sums"), "sum_partial_sums");
    }

    #[test]
    fn other_lines_are_ignored() {
        assert_eq!([parse(""), parse("stream 1"), parse("D2H"), parse("alloc 5")], [None, None, None, None]);
    }
}
