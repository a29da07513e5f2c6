//! The table of work that embert does alone: time, sequences, tokens and operations a second, memory.

use crate::{
    case::Case,
    child,
    device::IS_GPU,
    flops,
    product_limit::ProductLimit,
    spread::Spread,
    work::{Answer, Work},
};

/// Does the work of each case and prints its row.
pub(crate) fn run(cases: &[Case]) -> Result<(), String> {
    if cases.is_empty() {
        return Ok(());
    }
    let limit = ProductLimit::measure();
    println!(
        "  {:<26} {:>20} {:>7} {:>8} {:>8} {:>11} {:>8}",
        "", "ms/step (min-max)", "seq/s", "tokens/s", "GFLOP/s", "of products", "peak MiB"
    );
    for Case { name, work } in cases {
        let answer = child::embert(work)?;
        let first =
            if IS_GPU { format!("  first step {:.1} s", answer.first_seconds) } else { String::new() };
        println!("  {name:<26} {}{first}", row(work, &answer, &limit));
    }
    Ok(())
}

fn row(work: &Work, answer: &Answer, limit: &ProductLimit) -> String {
    let milliseconds = Spread::of(answer.seconds.iter().copied()).milliseconds();
    let counted = work.counted();
    let sequences: usize = counted.iter().map(Vec::len).sum();
    let tokens: usize = counted.iter().flatten().sum();
    let each_second = |count: f64| count / answer.total_seconds();
    let flops = each_second(flops::of_work(work));
    format!(
        "{milliseconds:>20} {:>7.1} {:>8.0} {:>8.0} {:>10.0}% {:>8}",
        each_second(sequences as f64),
        each_second(tokens as f64),
        flops / 1e9,
        100.0 * flops / limit.of(work.precision()),
        answer.peak_bytes.map_or("?".into(), |bytes| (bytes >> 20).to_string()),
    )
}
