//! Measures time after a burn-in, and describes the machine.

use std::{env::consts, hint::black_box, process::Command, thread, time::Instant};

use crate::{device, spread::Spread};

/// Number of runs before the measurement, to warm up caches, allocator and threads.
pub(crate) const BURN_IN: usize = 2;
/// Number of measured runs.
pub(crate) const RUNS: usize = 11;

/// Measures the seconds of [`RUNS`] runs of `work`.
pub(crate) fn time<T>(work: impl Fn() -> T) -> Spread {
    let seconds = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64()
    };
    (0..BURN_IN).map(seconds).for_each(drop);
    Spread::of((0..RUNS).map(seconds))
}

/// Describes version, commit and machine.
pub(crate) fn environment() -> String {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (version, commit) = (env!("CARGO_PKG_VERSION"), commit().unwrap_or("unknown".into()));
    let machine = format!("{} {}, {threads} threads", consts::OS, consts::ARCH);
    let instructions = device::instructions()
        .map_or(String::new(), |[fp32, bf16]| format!("\nmatrix products in {fp32}; under bf16 in {bf16}"));
    format!("embert {version}, commit {commit}; {machine}{instructions}")
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
    use std::{cell::Cell, time::Duration};

    #[test]
    fn one_slow_run_does_not_change_the_median() {
        let runs = Cell::new(0);
        let slow_once = || {
            runs.set(runs.get() + 1);
            thread::sleep(Duration::from_millis(if runs.get() == RUNS { 300 } else { 1 }));
        };
        assert!(time(slow_once).median < 0.1);
        assert_eq!(runs.get(), BURN_IN + RUNS);
    }
}
