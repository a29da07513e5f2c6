//! The benchmarks of embert: `cargo xtask bench [NAME]...`. Without a name, runs all of them.

mod breakdown;
mod case;
mod child_process;
mod comparison;
mod device;
mod evaluation;
mod families;
mod flops;
mod matmul_limit;
mod measure;
mod memory;
mod model_config;
mod model_size;
mod operations;
mod parity;
mod selection;
mod spread;
mod texts;
mod throughput;
mod tokenization;
mod trainer;
mod training;
mod worker;
mod workload;
mod workload_files;

use selection::Selection;
use std::{env, process::ExitCode};

/// A benchmark prints one line for each of its cases.
type Benchmark = fn(&Selection) -> Result<(), String>;

const BENCHMARKS: [(&str, Benchmark); 5] = [
    ("tokenization", tokenization::run),
    ("training", training::run),
    ("families", families::run),
    ("evaluation", evaluation::run),
    ("breakdown", breakdown::run),
];

/// The allocator of the command `embert`.
#[cfg(feature = "cpu")]
#[global_allocator]
static ALLOCATOR: embert_kernels::ExitOutOfMemory =
    embert_kernels::ExitOutOfMemory { exit_code: 5, what_to_do: "choose smaller rows" };

const USAGE: &str = "\
Usage: embert-bench [BENCHMARK]... [WORD]... [--peer PYTHON]
       embert-bench parity [--device cpu|wgpu|cuda] [--fixtures DIR]
       embert-bench workloads DIR
       embert-bench worker [--any-loss] < WORKLOAD.json

  tokenization   converts texts to ids
  training       training steps with random weights, each row in its own process
  families       training steps of each family's base size, each row in its own process
  evaluation     forward passes without gradients, each row in its own process
  breakdown      the time of each operation in a training step

Without BENCHMARK, runs all benchmarks. With WORDs, runs only rows whose names contain all of them, as in
`training minilm bf16`. With --peer, compares training, families and evaluation with transformers. PYTHON
needs the packages at the top of peer.py.

`parity` measures no times: it compares a device with golden values of transformers, PyTorch and PEFT.
`workloads` writes the rows of `training` on a GPU as files. `worker` runs one of them, as peer.py does;
with --any-loss also on a driver that computes nothing, to compile its kernels.";

fn main() -> ExitCode {
    #[cfg(feature = "cpu")]
    embert_kernels::keep_freed_memory();
    #[cfg(any(feature = "cuda", feature = "wgpu"))]
    embert_inference::keep_compiled_kernels();
    let args: Vec<String> = env::args().skip(1).collect();
    // Runs on a thread of rayon's pool, like the command `embert`.
    let result = rayon::scope(|_| match args.first().map(String::as_str) {
        Some(child_process::WORKER) => worker::run(&args[1..]),
        Some("workloads") => workload_files::write(&args[1..]),
        Some("parity") => parity::run(&args[1..]),
        Some("--help" | "-h") => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Selection::parse(args, &BENCHMARKS.map(|(name, _)| name)).and_then(|selection| run(&selection)),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(selection: &Selection) -> Result<(), String> {
    device::named(None)?; // fails early if there is no device
    println!("{}", measure::environment());
    for (name, run) in BENCHMARKS.into_iter().filter(|(name, _)| selection.includes(name)) {
        println!("\n{name}");
        run(selection)?;
    }
    Ok(())
}
