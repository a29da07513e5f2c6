//! The same work by embert and by transformers in turn: how many times longer transformers takes for the same rows.

use crate::{
    case::Case,
    child,
    device::IS_GPU,
    spread::Spread,
    work::{Answer, Work},
};

/// How often each of the two does the work.
const ROUNDS: usize = 3;
/// Steps of a round that count, at most.
const STEPS: usize = if IS_GPU { 8 } else { 3 };

/// Does the work of each case and prints its row.
pub(crate) fn run(python: &str, cases: &[Case]) -> Result<(), String> {
    if cases.is_empty() {
        return Ok(());
    }
    println!("  embert and transformers in turn, {ROUNDS} rounds");
    println!(
        "  {:<26} {:>20} {:>20} {:>22} {:>13}",
        "", "embert ms (min-max)", "peer ms (min-max)", "peer/embert (min-max)", "memory ratio"
    );
    let mut versions = String::new();
    for Case { name, work } in cases {
        let rounds = rounds(python, work)?;
        println!("  {name:<26} {}{}", row(&rounds), first_steps(&rounds[0]));
        versions = rounds[0].peer.versions.clone();
    }
    let memory = if IS_GPU { "reserved on the GPU" } else { "whole processes" };
    println!("  peer: {versions}; memory ratio: embert/peer, {memory}");
    Ok(())
}

struct Round {
    embert: Answer,
    peer: Answer,
}

fn rounds(python: &str, work: &Work) -> Result<Vec<Round>, String> {
    let work = Work { steps: work.steps.min(STEPS), ..work.clone() };
    (0..ROUNDS)
        .map(|_| Ok(Round { embert: child::embert(&work)?, peer: child::peer(python, &work)? }))
        .collect()
}

fn row(rounds: &[Round]) -> String {
    let milliseconds = |answer: fn(&Round) -> &Answer| {
        Spread::of(rounds.iter().flat_map(|round| answer(round).seconds.clone())).milliseconds()
    };
    let (embert, peer) = (milliseconds(|round| &round.embert), milliseconds(|round| &round.peer));
    let Spread { median, least, most } = Spread::of(rounds.iter().map(time_ratio));
    let ratio = format!("{median:.2} ({least:.2}-{most:.2})");
    let memory = memory_ratio(rounds).map_or("?".into(), |ratio| format!("{ratio:.3}"));
    format!("{embert:>20} {peer:>20} {ratio:>22} {memory:>13}")
}

/// What a GPU does once, in the first round.
fn first_steps(Round { embert, peer }: &Round) -> String {
    let seconds = format!("  first step {:.1} s, {:.1} s", embert.first_seconds, peer.first_seconds);
    if IS_GPU { seconds } else { String::new() }
}

/// The median over the steps of peer/embert, both for the same rows.
fn time_ratio(round: &Round) -> f64 {
    let pairs = round.peer.seconds.iter().zip(&round.embert.seconds);
    Spread::of(pairs.map(|(peer, embert)| peer / embert)).median
}

/// The highest peak of embert by the highest of the peer.
fn memory_ratio(rounds: &[Round]) -> Option<f64> {
    let embert = rounds.iter().filter_map(|round| round.embert.peak_bytes).max()?;
    let peer = rounds.iter().filter_map(|round| round.peer.peak_bytes).max()?;
    Some(embert as f64 / peer as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(seconds: &[f64], peak_bytes: u64) -> Answer {
        let (seconds, first_seconds) = (seconds.to_vec(), seconds[0]);
        Answer { seconds, first_seconds, peak_bytes: Some(peak_bytes), versions: String::new() }
    }

    fn round(embert: &[f64], peer: &[f64]) -> Round {
        Round { embert: answer(embert, 300), peer: answer(peer, 400) }
    }

    #[test]
    fn steps_are_compared_on_the_same_rows() {
        // 2, 3 and 10 times as long: one slow step of the peer does not move the ratio.
        assert_eq!(time_ratio(&round(&[1.0, 2.0, 1.0], &[2.0, 6.0, 10.0])), 3.0);
    }

    #[test]
    fn the_row_has_the_median_of_the_rounds_and_their_spread() {
        let rounds = [round(&[1.0], &[2.0]), round(&[1.0], &[1.5]), round(&[2.0], &[5.0])];
        let row = row(&rounds);
        assert!(row.contains("2.00 (1.50-2.50)"), "{row}");
        assert!(row.ends_with("0.750"), "{row}");
    }
}
