//! Compares embert with transformers: runs the same workload with both in turn, and prints the ratio of the times.

use crate::{
    case::Case,
    child_process,
    device::IS_GPU,
    spread::Spread,
    workload::{Measurement, Workload},
};

/// Number of runs of each, unless a benchmark has many rows.
pub(crate) const ROUNDS: usize = 3;
/// Maximum number of measured steps in a round.
const STEPS: usize = if IS_GPU { 8 } else { 3 };

/// Runs each case with both, `num_rounds` times, and prints its row.
pub(crate) fn run(python: &str, cases: &[Case], num_rounds: usize) -> Result<(), String> {
    if cases.is_empty() {
        return Ok(());
    }
    let memory = if IS_GPU { "reserved on the GPU" } else { "of the processes" };
    println!("  embert and transformers in turn; rounds: {num_rounds}; peak memory: {memory}");
    println!(
        "  {:<26} {:>20} {:>20} {:>22} {:>20}",
        "", "embert ms (min-max)", "peer ms (min-max)", "peer/embert (min-max)", "embert, peer MiB"
    );
    let mut versions = String::new();
    for Case { name, workload } in cases {
        let rounds = rounds(python, workload, num_rounds)?;
        println!("  {name:<26} {}{}", row(&rounds), first_steps(&rounds[0]));
        if versions != rounds[0].peer.versions {
            versions.clone_from(&rounds[0].peer.versions);
            println!("  peer: {versions}");
        }
    }
    Ok(())
}

struct Round {
    embert: Measurement,
    peer: Measurement,
}

fn rounds(python: &str, workload: &Workload, num_rounds: usize) -> Result<Vec<Round>, String> {
    let workload = Workload { steps: workload.steps.min(STEPS), ..workload.clone() };
    (0..num_rounds)
        .map(|_| {
            Ok(Round {
                embert: child_process::embert(&workload)?,
                peer: child_process::peer(python, &workload)?,
            })
        })
        .collect()
}

fn row(rounds: &[Round]) -> String {
    let milliseconds = |measurement: fn(&Round) -> &Measurement| {
        Spread::of(rounds.iter().flat_map(|round| measurement(round).seconds.clone())).milliseconds()
    };
    let (embert, peer) = (milliseconds(|round| &round.embert), milliseconds(|round| &round.peer));
    let Spread { median, min, max } = Spread::of(rounds.iter().map(time_ratio));
    let ratio = format!("{median:.2} ({min:.2}-{max:.2})");
    let memory = peaks(rounds).map_or("?".into(), memory);
    format!("{embert:>20} {peer:>20} {ratio:>22} {memory:>20}")
}

/// Returns the first steps of the first round on a GPU, which compiles kernels in them.
fn first_steps(Round { embert, peer }: &Round) -> String {
    let seconds = format!("  first step {:.1} s, {:.1} s", embert.first_seconds, peer.first_seconds);
    if IS_GPU { seconds } else { String::new() }
}

/// Returns the median over the steps of peer/embert. Both have the same rows in a step.
fn time_ratio(round: &Round) -> f64 {
    let pairs = round.peer.seconds.iter().zip(&round.embert.seconds);
    Spread::of(pairs.map(|(peer, embert)| peer / embert)).median
}

/// Returns the highest peaks of embert and of the peer, in bytes.
fn peaks(rounds: &[Round]) -> Option<[u64; 2]> {
    let embert = rounds.iter().filter_map(|round| round.embert.peak_bytes).max()?;
    let peer = rounds.iter().filter_map(|round| round.peer.peak_bytes).max()?;
    Some([embert, peer])
}

/// Formats peaks as MiB, with their ratio: `300, 400 (0.750)`.
fn memory([embert, peer]: [u64; 2]) -> String {
    format!("{}, {} ({:.3})", embert >> 20, peer >> 20, embert as f64 / peer as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(seconds: &[f64], peak_mebibytes: u64) -> Measurement {
        let (seconds, first_seconds) = (seconds.to_vec(), seconds[0]);
        Measurement {
            seconds,
            first_seconds,
            peak_bytes: Some(peak_mebibytes << 20),
            versions: String::new(),
        }
    }

    fn round(embert: &[f64], peer: &[f64]) -> Round {
        Round { embert: measurement(embert, 300), peer: measurement(peer, 400) }
    }

    #[test]
    fn the_time_ratio_is_the_median_over_the_steps() {
        // The ratios are 2, 3 and 10: one slow step of the peer does not change the median.
        assert_eq!(time_ratio(&round(&[1.0, 2.0, 1.0], &[2.0, 6.0, 10.0])), 3.0);
    }

    #[test]
    fn the_row_has_median_minimum_and_maximum_of_the_rounds() {
        let rounds = [round(&[1.0], &[2.0]), round(&[1.0], &[1.5]), round(&[2.0], &[5.0])];
        let row = row(&rounds);
        assert!(row.contains("2.00 (1.50-2.50)"), "{row}");
        assert!(row.ends_with(" 300, 400 (0.750)"), "{row}");
    }
}
