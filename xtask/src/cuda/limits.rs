//! The limits of training steps and kernels on a GPU, each with its reason, and the steps that exceed them.

use super::log::Step;

/// A limit of every step after the first ones, which tune kernels.
struct Limit {
    what: &'static str,
    /// The measured value of a step.
    of: fn(&Step) -> u64,
    most: u64,
    reason: &'static str,
}

/// The steps in which kernels are compiled and tuned: their launches and memory do not count.
const WARM_UP: usize = 6;

/// [batch, heads, length, length] in bf16, for 32 sequences of 512 tokens and 12 heads.
const SCORES: u64 = 32 * 12 * 512 * 512 * 2;

/// BERT-base, 32 sequences of at most 512 tokens, bf16, full fine-tuning.
const BERT_BASE: [Limit; 3] = [
    Limit {
        what: "launches",
        of: |step| step.launches as u64,
        most: 600,
        reason: "a launch costs 20 to 40 us on the host, and a step should take 35 ms on an H200",
    },
    Limit {
        what: "MiB reserved",
        of: |step| step.reserved >> 20,
        most: 10 << 10,
        reason: "transformers with scaled dot product attention reserves 8.9 GB",
    },
    Limit {
        what: "bytes of the largest copy",
        of: |step| step.copies.iter().map(|copy| copy.bytes).max().unwrap_or(0),
        most: SCORES - 1,
        reason: "attention must not store or copy a matrix of size length squared",
    },
];

/// The memory that two devices may reserve in addition after the tenth step, in percent.
const MOST_GROWTH: u64 = 1;

/// Bytes of registers that a thread of embert's kernels may store in memory. Where ptxas keeps fewer registers, so that more
/// threads run, it stores at most 12 bytes; more would slow down their loops.
pub(super) const MOST_SPILLED: u64 = 16;

/// Returns a line for each limit, and whether all hold.
pub(super) fn check_bert_base(steps: &[Step]) -> Result<String, String> {
    let steps = steps.get(WARM_UP..).filter(|steps| !steps.is_empty());
    let steps = steps.ok_or(format!("the log has no step after {WARM_UP} warm-up steps"))?;
    let lines = BERT_BASE.each_ref().map(|limit| line(limit, steps));
    let report = lines.each_ref().map(|(text, _)| text.as_str()).join("\n");
    if lines.iter().all(|(_, holds)| *holds) { Ok(report) } else { Err(report) }
}

fn line(Limit { what, of, most, reason }: &Limit, steps: &[Step]) -> (String, bool) {
    let found = steps.iter().map(of).max().unwrap_or(0);
    let holds = found <= *most;
    let failed = if holds { String::new() } else { format!("  FAILED: {reason}") };
    (format!("  {what:<28} {found:>12} of {most:>12}{failed}"), holds)
}

/// Fails if the reserved memory grows after the tenth step. `steps` are those of a run with two devices.
pub(super) fn check_growth(steps: &[Step]) -> Result<String, String> {
    let [early, last] = [steps.get(9), steps.last()].map(|step| step.map(|step| step.reserved));
    let (early, last) = early.zip(last).ok_or("the log has fewer than ten steps")?;
    let number = steps.len();
    let (early_mib, last_mib) = (early >> 20, last >> 20);
    let report =
        format!("  two devices reserve {early_mib} MiB in step 10 and {last_mib} MiB in step {number}");
    if last * 100 <= early * (100 + MOST_GROWTH) {
        Ok(report)
    } else {
        Err(format!("{report}  FAILED: each step must use the memory of the step before it"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{Copy, Direction};
    use super::*;

    fn step(launches: usize, reserved: u64, largest_copy: u64) -> Step {
        let copies = vec![Copy { direction: Direction::OnDevice, bytes: largest_copy }];
        Step { launches, copies, reserved }
    }

    #[test]
    fn only_steps_after_the_warm_up_count() {
        let mut steps: Vec<Step> = (0..WARM_UP).map(|_| step(9_000, 1 << 40, SCORES)).collect();
        assert!(check_bert_base(&steps).unwrap_err().contains("no step after"));
        let launches = BERT_BASE[0].most as usize;
        steps.push(step(launches, 10 << 30, 94 << 20));
        assert!(check_bert_base(&steps).is_ok());
        steps.push(step(launches + 1, 10 << 30, SCORES));
        let report = check_bert_base(&steps).unwrap_err();
        assert_eq!(report.matches("FAILED").count(), 2, "{report}");
    }

    #[test]
    fn memory_must_not_grow() {
        let mut steps: Vec<Step> = (0..50).map(|_| step(1, 5 << 30, 0)).collect();
        assert!(check_growth(&steps).is_ok());
        steps[49].reserved = 6 << 30;
        assert!(check_growth(&steps).unwrap_err().contains("FAILED"));
        assert!(check_growth(&steps[..9]).is_err());
    }
}
