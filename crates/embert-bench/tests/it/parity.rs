//! `embert-bench parity` on each available device.

use std::process::{Command, Output};

fn parity(device: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_embert-bench")).args(["parity", "--device", device]).output().unwrap()
}

#[track_caller]
fn assert_passes(output: &Output) {
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        stdout.lines().filter(|line| line.contains(" of ") && !line.contains("parity")).count(),
        47, // the CPU skips three fp16 checks
        "{stdout}"
    );
}

#[test]
fn the_cpu_matches_transformers() {
    assert_passes(&parity("cpu"));
}

#[cfg(feature = "wgpu")]
#[test]
fn wgpu_matches_transformers() {
    let output = parity("wgpu");
    if String::from_utf8_lossy(&output.stderr).contains("no adapter for wgpu") {
        return eprintln!("SKIPPED: there is no adapter for wgpu");
    }
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
