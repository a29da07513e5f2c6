//! `cargo xtask pack`: an archive with the benchmarks, for a GPU machine without Rust.

use crate::{Outcome, arguments::Arguments, backend::Backend, cuda, pack_folder::write_folder, process};
use std::{
    ffi::OsString,
    fs,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
Usage: cargo xtask pack --backend cpu|cuda|wgpu

Builds the benchmarks for a backend, strips them, and packs them with the golden values of the tiny models into
target/embert-BACKEND.tar.gz. On the other machine, without Rust and the sources:

  tar xzf embert-wgpu.tar.gz && embert-wgpu/run [PYTHON]

runs the parity checks and the benchmarks of training and evaluation. With a PYTHON that has transformers and peft,
compares with transformers on the same device.

For CUDA, the archive is target/embert-cuda.tar.xz. It also has the kernels, compiled on a stand-in for NVIDIA's driver:

  tar xJf embert-cuda.tar.xz && OUT=results embert-cuda/run [PYTHON]

checks parity, measures training of BERT-base with 128 and 512 tokens in bf16, fp16 and fp32, full and LoRA, in turn
with transformers, and profiles a step with ncu. It ends within 560 seconds.";

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
    if backend == Backend::Cuda {
        return cuda::pack();
    }
    let name = format!("embert-{}", backend.name());
    let target = process::root().join("target");
    write_folder(&target.join("pack").join(&name), &process::build("embert-bench", backend)?, RUN)?;
    let archive = target.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    process::run_checked(tar.arg("czf").arg(&archive).arg("-C").arg(target.join("pack")).arg(&name))?;
    let size = fs::metadata(&archive).map_or(0, |file| file.len());
    println!("{}: {:.1} MB", archive.display(), size as f64 / 1e6);
    Ok(ExitCode::SUCCESS)
}
