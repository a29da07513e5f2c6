//! The quickstart has the same losses on WGPU and on the CPU.

use std::fs;
use std::path::Path;

use crate::{embert, stderr};

/// Twenty steps of the quickstart on fewer reviews. All batches have one length, because products are tuned for each
/// length, which takes a minute on SwiftShader. Each log line reads the losses of two steps together.
const RUN: &str = "train --recipe quickstart --synthetic_reviews 500 --max_seq_length 32 --max_steps 20 \
                   --logging_steps 2 --eval_strategy no --save_strategy no";

fn losses(folder: &Path, run: &str) -> Vec<f64> {
    let log = fs::read_to_string(folder.join(run).join("metrics.jsonl")).unwrap();
    let loss = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["loss"].as_f64();
    log.lines().filter_map(loss).collect()
}

#[test]
fn the_losses_of_twenty_steps_match_those_of_the_cpu() {
    let folder = tempfile::tempdir().unwrap();
    let on = |device: &str| embert(folder.path(), &format!("{RUN} --device {device} --output_dir {device}"));
    let output = on("wgpu");
    if output.status.code() == Some(2) && stderr(&output).contains("adapter") {
        return eprintln!("SKIPPED: {}", stderr(&output).trim());
    }
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(on("cpu").status.code(), Some(0));
    let [wgpu, cpu] = ["wgpu", "cpu"].map(|device| losses(folder.path(), device));
    assert_eq!((wgpu.len(), cpu.len()), (10, 10));
    let largest = wgpu.iter().zip(&cpu).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    println!("the largest difference of 20 losses, two per line: {largest:e}");
    assert!(largest < 1e-3, "{wgpu:?}\n{cpu:?}");
}
