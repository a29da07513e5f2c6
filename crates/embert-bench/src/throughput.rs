//! The table of embert without a peer: time, sequences, tokens and operations per second, memory.

use crate::{
    case::Case,
    child_process,
    device::IS_GPU,
    flops,
    matmul_limit::MatmulLimit,
    spread::Spread,
    workload::{Measurement, Workload},
};

/// Runs each case and prints its row.
pub(crate) fn run(cases: &[Case]) -> Result<(), String> {
    if cases.is_empty() {
        return Ok(());
    }
    let limit = MatmulLimit::measure();
    println!(
        "  {:<26} {:>20} {:>7} {:>8} {:>8} {:>11} {:>8}",
        "", "ms/step (min-max)", "seq/s", "tokens/s", "GFLOP/s", "of products", "peak MiB"
    );
    for Case { name, workload } in cases {
        let measurement = child_process::embert(workload)?;
        let first =
            if IS_GPU { format!("  first step {:.1} s", measurement.first_seconds) } else { String::new() };
        println!("  {name:<26} {}{first}", row(workload, &measurement, &limit));
    }
    Ok(())
}

fn row(workload: &Workload, measurement: &Measurement, limit: &MatmulLimit) -> String {
    let milliseconds = Spread::of(measurement.seconds.iter().copied()).milliseconds();
    let steps = workload.measured_lengths();
    let sequences: usize = steps.iter().map(Vec::len).sum();
    let tokens: usize = steps.iter().flatten().sum();
    let per_second = |count: f64| count / measurement.total_seconds();
    let [gigaflops, of_limit] = match flops::of_workload(workload).map(per_second) {
        Some(flops) => {
            [format!("{:.0}", flops / 1e9), format!("{:.0}%", 100.0 * flops / limit.of(workload.precision()))]
        }
        None => ["", ""].map(String::from),
    };
    format!(
        "{milliseconds:>20} {:>7.1} {:>8.0} {gigaflops:>8} {of_limit:>11} {:>8}",
        per_second(sequences as f64),
        per_second(tokens as f64),
        measurement.peak_bytes.map_or("?".into(), |bytes| (bytes >> 20).to_string()),
    )
}
