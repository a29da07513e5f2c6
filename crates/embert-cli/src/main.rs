//! The program `embert`: fine-tunes BERT-family encoders for text classification.

mod args;
mod boolean;
mod commands;
mod describe;
mod device;
mod encoded_examples;
mod error;
mod eval_fingerprint;
mod examples;
mod final_evaluation;
mod fine_tuned;
mod head;
mod hints;
mod hub;
mod interrupt;
mod local_path;
mod machine;
mod memory;
mod metric_choice;
mod model_card;
mod model_source;
mod near;
mod output;
mod output_dir;
mod panics;
mod problem_type;
mod progress;
mod recipe;
mod report;
mod resume;
mod scored_rows;
mod trained_labels;
mod trial_peaks;
mod visible;
mod warnings;
mod watch;

use std::process::ExitCode;

use error::CliError;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

#[cfg(all(feature = "cpu", not(test)))] // tests have an allocator that counts memory
#[global_allocator]
static ALLOCATOR: embert_kernels::ExitOutOfMemory = embert_kernels::ExitOutOfMemory {
    exit_code: error::OUT_OF_MEMORY as i32,
    what_to_do: "free some, or try --auto_find_batch_size, --gradient_checkpointing, a smaller --max_seq_length or a \
                 smaller --per_device_eval_batch_size",
};

fn main() -> ExitCode {
    #[cfg(feature = "cpu")]
    embert_kernels::keep_freed_memory();
    #[cfg(any(feature = "cuda", feature = "wgpu"))]
    embert_inference::keep_compiled_kernels();
    interrupt::outlive_file_size_limit();
    start_logging();
    panics::install_hook();
    match args::text(std::env::args_os()).and_then(|arguments| panics::as_error(|| run(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_stderr(format_args!("error: {}", error.line()));
            ExitCode::from(error.code)
        }
    }
}

fn run(arguments: Vec<String>) -> Result<(), CliError> {
    let matches = args::parse(arguments)?;
    let (name, matches) = matches.subcommand().expect("clap asks for a subcommand");
    // Runs on a thread of rayon's pool. Any other thread would have to wake up after each operation.
    rayon::scope(|_| match name {
        "train" => commands::train::run(matches),
        "evaluate" => commands::evaluate::run(matches),
        "predict" => commands::predict::run(matches),
        "merge" => commands::merge::run(matches),
        "push" => commands::push::run(matches),
        "devices" => commands::devices::run(),
        "completions" => commands::shell::completions(matches),
        "man" => commands::shell::man(matches),
        "help" => commands::shell::help(matches),
        _ => commands::check::run(matches),
    })?;
    output::require_printed()
}

/// Prints the trace events that `RUST_LOG` selects on standard error.
///
/// Excludes the hub's client and its dependencies: they trace signed addresses and, at level `trace`, the token.
fn start_logging() {
    let filter = EnvFilter::from_default_env();
    const TARGETS_WITH_SECRETS: [&str; 8] =
        ["hf_hub", "xet", "hf_xet", "reqwest", "hyper", "h2", "rustls", "tower"];
    let has_no_secrets =
        filter_fn(|metadata| !TARGETS_WITH_SECRETS.iter().any(|name| metadata.target().starts_with(name)));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    tracing_subscriber::registry().with(filter).with(lines.with_filter(has_no_secrets)).init();
}
