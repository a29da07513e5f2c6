//! The workloads of the test on the stand-in driver, from those of the benchmarks.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::process;

/// Writes the benchmarks' workloads of a GPU to `folder`, with the binary of the benchmarks.
pub(super) fn write(binary: &Path, folder: &Path) -> Result<(), String> {
    let mut command = Command::new(binary);
    command.arg("workloads").arg(folder);
    process::run_checked(&mut command)
}

/// Returns BERT-base with 32 sequences of at most 512 tokens in bf16, for ten steps.
pub(super) fn bert_base(folder: &Path) -> Result<Value, String> {
    let mut workload = read(&folder.join("bert-base-512-full-bf16.json"))?;
    workload["warm_up"] = json!(6);
    workload["steps"] = json!(4);
    Ok(workload)
}

/// Returns 50 steps of a model with two layers on two devices. All steps have the same shape.
pub(super) fn two_devices(folder: &Path) -> Result<Value, String> {
    let mut workload = read(&folder.join("bert-base-128-full-bf16.json"))?;
    let small = [
        ("hidden_size", 128),
        ("intermediate_size", 512),
        ("num_hidden_layers", 2),
        ("num_attention_heads", 2),
    ];
    for (key, value) in small {
        workload["config"][key] = json!(value);
    }
    let (steps, batch_size) = (50, 8);
    workload["lengths"] = json!(vec![64; steps * batch_size]);
    workload["batch_size"] = json!(batch_size);
    workload["warm_up"] = json!(0);
    workload["steps"] = json!(steps);
    workload["devices"] = json!(2);
    Ok(workload)
}

fn read(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|source| format!("{}: {source}", path.display()))?;
    serde_json::from_str(&text).map_err(|source| format!("{}: {source}", path.display()))
}
