//! Every benchmark of embert: `cargo xtask bench [NAME]...`, all of them without a name.

mod breakdown;
mod case;
mod child;
mod choice;
mod comparison;
mod device;
mod evaluation;
mod flops;
mod measure;
mod memory;
mod operations;
mod parity;
mod product_limit;
mod rates;
mod sizes;
mod spread;
mod texts;
mod tokenization;
mod trainer;
mod training;
mod work;
mod worker;

use choice::Choice;
use std::{env, process::ExitCode};

type Run = fn(&Choice) -> Result<(), String>;

/// A benchmark prints one line for each of its cases.
const BENCHMARKS: [(&str, Run); 4] = [
    ("tokenization", tokenization::run),
    ("training", training::run),
    ("evaluation", evaluation::run),
    ("breakdown", breakdown::run),
];

/// What `embert` allocates with.
#[cfg(feature = "cpu")]
#[global_allocator]
static ALLOCATOR: embert_kernels::ExitOutOfMemory =
    embert_kernels::ExitOutOfMemory { exit_code: 5, what_to_do: "choose smaller rows" };

const USAGE: &str = "\
Usage: embert-bench [BENCHMARK]... [WORD]... [--peer PYTHON]
       embert-bench parity [--device cpu|wgpu|cuda] [--fixtures DIR]

  tokenization   texts to ids
  training       steps of training on random weights, each row in a process of its own
  evaluation     forward passes without gradient, likewise
  breakdown      where the time of a step of training goes

Without BENCHMARK all of them run; with WORDs only rows whose names contain them all, as in
`training minilm bf16`. With --peer, training and evaluation run under transformers too, with a Python that
has the packages at the top of peer.py, and print both.

`parity` times nothing: it compares a device with what transformers, PyTorch and PEFT gave for tiny models.";

fn main() -> ExitCode {
    #[cfg(feature = "cpu")]
    embert_kernels::keep_freed_memory();
    let args: Vec<String> = env::args().skip(1).collect();
    // On a thread of rayon's pool, as `embert` runs.
    let done = rayon::scope(|_| match args.first().map(String::as_str) {
        Some(child::WORKER) => worker::run(),
        Some("parity") => parity::run(&args[1..]),
        Some("--help" | "-h") => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Choice::parse(args, &BENCHMARKS.map(|(name, _)| name)).and_then(|choice| run(&choice)),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(choice: &Choice) -> Result<(), String> {
    device::named(None)?; // one line where there is none, before anything is timed
    println!("{}", measure::circumstances());
    for (name, run) in BENCHMARKS.into_iter().filter(|(name, _)| choice.has(name)) {
        println!("\n{name}");
        run(choice)?;
    }
    Ok(())
}
