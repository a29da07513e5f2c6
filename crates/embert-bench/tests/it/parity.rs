//! The tiny models on each device that there is, beside transformers, PyTorch and PEFT.

use std::process::{Command, Output};

fn parity(device: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_embert-bench")).args(["parity", "--device", device]).output().unwrap()
}

#[track_caller]
fn assert_near(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        said.lines().filter(|line| line.contains(" of ") && !line.contains("parity")).count(),
        15, // and two of fp16, which are skipped
        "{said}"
    );
}

#[test]
fn the_cpu_gives_what_transformers_gives() {
    assert_near(&parity("cpu"));
}

#[cfg(feature = "wgpu")]
#[test]
fn wgpu_gives_what_transformers_gives() {
    let output = parity("wgpu");
    if String::from_utf8_lossy(&output.stderr).contains("no adapter for wgpu") {
        return eprintln!("SKIPPED: there is no adapter for wgpu");
    }
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
