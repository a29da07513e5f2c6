//! What is estimated of a run's memory, held against what such runs take: each is a process of its own.

mod parity;

use std::process::Command;

/// One run takes up to 8 % more than the next, and what a process takes beside its model weighs more in a small one.
const ESTIMATE_TO_PEAK: std::ops::Range<f64> = 0.92..1.25;

#[test]
fn estimates_of_a_small_model_are_near_what_it_takes() {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: Linux alone says how much memory a process held");
        return;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_embert-bench"));
    let output = command.args(["memory", "small", "fp32"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let rows = said.lines().filter(|line| line.trim_start().starts_with("small ")).collect::<Vec<_>>();
    assert_eq!(rows.len(), 8, "{said}");
    for row in rows {
        let ratio: f64 = row.split_whitespace().last().unwrap().parse().unwrap();
        assert!(ESTIMATE_TO_PEAK.contains(&ratio), "{row}");
    }
}
