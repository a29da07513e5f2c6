//! `cargo xtask test --backend cuda`: tests the CUDA backend without a GPU, on the stand-in driver.

mod limits;
mod llvm;
mod log;
mod pack;
mod ptxas;
mod standin;
mod workloads;

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use crate::{Outcome, backend, process};
pub(crate) use pack::run as pack;
use standin::StandIn;

/// The features of the benchmarks. Parity compares the GPU's dropout masks with those of the CPU.
///
/// Tests, archives and benchmarks of GPUs use the release profile, so that no dependency is compiled twice.
const FEATURES: &str = "cpu,cuda";

/// A part of the test: prints its findings, or fails with them.
type Check = fn(&Parts) -> Result<String, String>;

/// The binary under test, its driver, and its workloads.
struct Parts {
    binary: std::path::PathBuf,
    standin: StandIn,
    workloads: std::path::PathBuf,
}

const CHECKS: [(&str, Check); 4] = [
    ("parity with emulated kernels", parity),
    ("a training step of BERT-base", bert_base),
    ("50 training steps on two devices", two_devices),
    ("registers of embert's kernels", registers),
];

/// Builds the benchmarks and the driver, and runs all checks. Skips them, with a message, where CUDA cannot be built.
pub(crate) fn test() -> Outcome {
    if let Err(reason) = can_build() {
        println!("SKIPPED: the tests of the cuda backend: {reason}");
        return Ok(ExitCode::SUCCESS);
    }
    let parts = Parts::build()?;
    let failures = CHECKS.iter().filter(|(name, check)| !passes(name, *check, &parts)).count();
    if failures == 0 {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(format!("{failures} of {} checks failed", CHECKS.len()))
    }
}

/// Fails if this machine cannot build the CUDA backend, or run it on the stand-in driver.
fn can_build() -> Result<(), String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("the stand-in driver needs Linux on x86-64".into());
    }
    backend::check_cuda_toolkit()?;
    llvm::check()
}

impl Parts {
    fn build() -> Result<Self, String> {
        let binary = process::build_features("embert-bench", backend::Backend::Cuda, FEATURES)?;
        let standin = StandIn::build()?;
        let workloads = standin.fresh("workloads");
        workloads::write(&binary, &workloads)?;
        Ok(Self { binary, standin, workloads })
    }
}

fn passes(name: &str, check: Check, parts: &Parts) -> bool {
    println!("{name}");
    let (passes, report) = match check(parts) {
        Ok(report) => (true, report),
        Err(report) => (false, report),
    };
    println!("{report}{}", if passes { "" } else { "\n  FAILED" });
    passes
}

/// Compares all operations with golden values, on kernels that the driver computes, and keeps them for [`registers`].
fn parity(Parts { binary, standin, .. }: &Parts) -> Result<String, String> {
    let mut command = standin.emulating(binary);
    command.env("EMBERT_STANDIN_PTX", standin.fresh("ptx"));
    command.args(["parity", "--device", "cuda"]);
    let report = stdout(&mut command)?;
    match report.lines().find(|line| line.contains("skipped: ")) {
        None => Ok(report),
        Some(line) => Err(format!("{report}\na check was skipped: {}", line.trim())),
    }
}

/// Checks launches, copies and memory of a step, and keeps its kernels, too.
fn bert_base(Parts { binary, standin, workloads }: &Parts) -> Result<String, String> {
    let (log, ptx) = (standin.fresh("bert-base.log"), standin.path("ptx"));
    let mut command = standin.command(binary);
    command.env("EMBERT_STANDIN_LOG", &log).env("EMBERT_STANDIN_PTX", &ptx);
    // Compiles every kernel, so that all of them are written.
    command.env("XDG_CACHE_HOME", standin.fresh("empty-cache"));
    standin::run_worker(command, &workloads::bert_base(workloads)?.to_string())?;
    let text = read(&log)?;
    let kernels = log::launches_by_kernel(&text).len();
    let report = limits::check_bert_base(&log::steps(&text))?;
    Ok(format!("{report}\n  {kernels} different kernels; the log is {}", log.display()))
}

fn two_devices(Parts { binary, standin, workloads }: &Parts) -> Result<String, String> {
    let log = standin.fresh("two-devices.log");
    let mut command = standin.command(binary);
    command.env("EMBERT_STANDIN_LOG", &log).env("EMBERT_STANDIN_DEVICES", "2");
    standin::run_worker(command, &workloads::two_devices(workloads)?.to_string())?;
    limits::check_growth(&log::steps(&read(&log)?))
}

/// Assembles the kernels of [`parity`] and [`bert_base`].
fn registers(Parts { standin, .. }: &Parts) -> Result<String, String> {
    match ptxas::find() {
        Some(ptxas) => ptxas::check(&ptxas, &standin.path("ptx")),
        None => {
            Ok("  SKIPPED: ptxas is neither in CUDA_PATH nor in PATH (pip install nvidia-cuda-nvcc)".into())
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|source| format!("{}: {source}", path.display()))
}

/// Runs a command and returns what it printed.
fn stdout(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|source| process::cannot_start(command, &source))?;
    let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{text}\n{}{}", String::from_utf8_lossy(&output.stderr), output.status))
}
