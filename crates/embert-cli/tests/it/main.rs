//! Tests of the binary `embert`: its output, its files and its exit codes.

mod adapters;
mod arguments;
mod continued_labels;
#[cfg(unix)]
mod data_folders;
mod devices;
#[cfg(unix)]
mod docs;
#[cfg(unix)]
mod evaluate_output;
mod evaluated_rows;
mod exit_codes;
mod families;
mod family_recipes;
mod faults;
#[cfg(unix)]
mod file_modes;
mod kills;
mod lines;
mod main_job;
mod memory;
mod merged;
#[cfg(target_os = "linux")]
mod not_files;
mod overwriting;
#[cfg(unix)]
mod paths;
#[cfg(unix)]
mod predict_output;
mod predict_parts;
mod push;
mod secrets;
mod sizes;
#[cfg(target_os = "linux")]
mod streams;
mod tasks;
mod tiny;
mod traces;
mod trainer_meaning;
mod training_features;
mod truncation_side;
#[cfg(feature = "wgpu")]
mod wgpu;

#[path = "../../../embert-hub/tests/hub/server.rs"]
mod server;

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Returns the command `embert` with these arguments in a folder. Its standard input is empty, and it is offline.
fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embert"));
    command.args(arguments.split_whitespace()).current_dir(folder).stdin(Stdio::null());
    command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", folder);
    command.env("XDG_RUNTIME_DIR", folder); // without it, Mesa's OpenGL driver writes lines to standard error
    command
}

/// Runs `embert` with these arguments in a folder.
fn embert(folder: &Path, arguments: &str) -> Output {
    command(folder, arguments).output().expect("the binary was built")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("output is UTF-8")
}

/// Asserts success. Returns standard output.
#[track_caller]
fn succeeds(folder: &Path, arguments: &str) -> String {
    let output = embert(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", stderr(&output));
    stdout(&output)
}

/// Asserts this exit code. Returns standard error.
#[track_caller]
fn fails(folder: &Path, code: i32, arguments: &str) -> String {
    let output = embert(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments}: {}{}", stdout(&output), stderr(&output));
    stderr(&output)
}
