//! Every benchmark of embert: `cargo xtask bench [NAME]...`, all of them without a name.

mod measure;
mod tokenization;

use std::{env, process::ExitCode};

/// A benchmark prints one line for each of its cases.
const BENCHMARKS: [(&str, fn()); 1] = [("tokenization", tokenization::run)];

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).collect();
    let known = BENCHMARKS.map(|(name, _)| name);
    if let Some(other) = wanted.iter().find(|wanted| !known.contains(&wanted.as_str())) {
        eprintln!("there is no benchmark `{other}`; there are: {}", known.join(", "));
        return ExitCode::from(2);
    }
    println!("{}", measure::circumstances());
    for (name, run) in BENCHMARKS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            println!("\n{name}");
            run();
        }
    }
    ExitCode::SUCCESS
}
