//! The median time of a piece of work, after some runs that do not count.

use std::{
    env::consts,
    hint::black_box,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Runs before the clock starts: caches, allocator and threads are warm by then.
pub(crate) const BURN_IN: usize = 2;
/// Runs that count.
pub(crate) const RUNS: usize = 11;

/// The median over [`RUNS`] of what `work` takes.
pub(crate) fn median<T>(work: impl Fn() -> T) -> Duration {
    let time = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    (0..BURN_IN).map(time).for_each(drop);
    let mut times: Vec<Duration> = (0..RUNS).map(time).collect();
    times.sort();
    times[RUNS / 2]
}

/// What figures mean nothing without.
pub(crate) fn circumstances() -> String {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (version, commit) = (env!("CARGO_PKG_VERSION"), commit().unwrap_or("unknown".into()));
    let machine = format!("{} {}, {threads} threads", consts::OS, consts::ARCH);
    format!("embert {version}, commit {commit}; {machine}; median of {RUNS} after {BURN_IN}")
}

fn commit() -> Option<String> {
    let arguments = ["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"];
    let output = Command::new("git").args(arguments).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?.trim().to_string();
    (!commit.is_empty()).then_some(commit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn one_slow_run_does_not_move_the_median() {
        let runs = Cell::new(0);
        let slow_once = || {
            runs.set(runs.get() + 1);
            thread::sleep(Duration::from_millis(if runs.get() == RUNS { 300 } else { 1 }));
        };
        assert!(median(slow_once) < Duration::from_millis(100));
        assert_eq!(runs.get(), BURN_IN + RUNS);
    }
}
