//! `cargo xtask pack`: an archive with the benchmarks, for a GPU machine without Rust.

use crate::{Outcome, arguments::Arguments, process};
use std::{
    ffi::OsString,
    fs,
    path::Path,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
Usage: cargo xtask pack --backend cpu|cuda|wgpu

Builds the benchmarks for a backend, strips them, and packs them with the golden values of the tiny models into
target/embert-BACKEND.tar.gz. On the other machine, without Rust and the sources:

  tar xzf embert-cuda.tar.gz && embert-cuda/run [PYTHON]

runs the parity checks, and measures training of BERT-base with 128, 256 and 512 tokens in fp32 and bf16, full and
LoRA. With a PYTHON that has transformers and peft, compares with transformers on the same GPU.";

/// The script in the archive.
const RUN: &str = "#!/bin/sh
# Runs the parity checks, then the benchmarks of training and evaluation. Usage: run [PYTHON with transformers]
cd \"$(dirname \"$0\")\" || exit 1
./embert-bench parity --fixtures fixtures || exit 1
if [ -n \"$1\" ]; then exec ./embert-bench training evaluation --peer \"$1\"; fi
exec ./embert-bench training evaluation
";

pub(crate) fn run(args: Vec<OsString>) -> Outcome {
    let Some(Arguments { backend, rest, .. }) = Arguments::parse(args)? else {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    if let Some(arg) = rest.first() {
        return Err(format!("pack takes only --backend, found `{}`", arg.display()));
    }
    let name = format!("embert-{}", backend.name());
    let target = process::root().join("target");
    let folder = target.join("pack").join(&name);
    let binary = process::build("embert-bench", backend)?;
    write_folder(&folder, &binary).map_err(|error| format!("{}: {error}", folder.display()))?;
    run_checked(Command::new("strip").arg(folder.join("embert-bench")))?;
    run_checked(Command::new("chmod").arg("+x").arg(folder.join("run")))?;
    let archive = target.join(format!("{name}.tar.gz"));
    run_checked(Command::new("tar").arg("czf").arg(&archive).arg("-C").arg(target.join("pack")).arg(&name))?;
    let size = fs::metadata(&archive).map_or(0, |file| file.len());
    println!("{}: {:.1} MB", archive.display(), size as f64 / 1e6);
    Ok(ExitCode::SUCCESS)
}

fn write_folder(folder: &Path, binary: &Path) -> std::io::Result<()> {
    let _ = fs::remove_dir_all(folder); // from an earlier run
    fs::create_dir_all(folder)?;
    fs::copy(binary, folder.join("embert-bench"))?;
    let fixtures = process::root().join("crates/embert-model/tests/fixtures");
    for name in ["tiny_bert", "tiny_distilbert", "peft"] {
        copy_folder(&fixtures.join(name), &folder.join("fixtures").join(name))?;
    }
    for name in ["golden.safetensors", "golden_distilbert.safetensors", "peft.safetensors"] {
        fs::copy(fixtures.join(name), folder.join("fixtures").join(name))?;
    }
    fs::write(folder.join("run"), RUN)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &copy)?;
        } else {
            fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}

fn run_checked(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().display().to_string();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} failed ({status})")),
        Err(error) => Err(format!("{program} did not start: {error}")),
    }
}
