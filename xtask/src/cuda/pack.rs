//! `cargo xtask pack --backend cuda`: an archive that checks, measures and profiles embert on a GPU in one call.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use super::{FEATURES, log, standin, standin::StandIn, workloads};
use crate::{
    Outcome,
    backend::{self, Backend},
    pack_folder::write_folder,
    process,
};

/// The archive must be small enough to be sent to a rented machine in a short time.
const MOST_BYTES: u64 = 64 << 20;

const RUN: &str = include_str!("run.sh");
const SCRIPTS: [(&str, &str); 3] = [
    ("limits.py", include_str!("limits.py")),
    ("kernels.py", include_str!("kernels.py")),
    ("cubecl.toml", CUBECL),
];

/// CubeCL's settings in the archive: all caches are in `env`.
const CUBECL: &str = "\
[compilation]
cache = true

[environment]
path = { directory = \"env\" }
";

/// The maximum lengths whose workloads are in the archive.
const LENGTHS: [&str; 2] = ["-128-", "-512-"];

/// The workload of the profile.
const PROFILED: &str = "bert-base-512-full-bf16.json";

/// Writes `target/embert-cuda.tar.xz`.
pub(crate) fn run() -> Outcome {
    let target = process::root().join("target");
    let folder = target.join("pack/embert-cuda");
    let binary = process::build_features("embert-bench", Backend::Cuda, FEATURES)?;
    write_folder(&folder, &binary, RUN)?;
    write_scripts(&folder).map_err(|source| format!("{}: {source}", folder.display()))?;
    let binary = folder.join("embert-bench");
    workloads::write(&binary, &folder.join("workloads"))?;
    let kept = keep_lengths(&folder.join("workloads")).map_err(|source| format!("workloads: {source}"))?;
    let launches = warm_up(&folder, &binary, &kept)?;
    fs::write(folder.join("launches"), launches.to_string())
        .map_err(|source| format!("launches: {source}"))?;
    let archive = target.join("embert-cuda.tar.xz");
    let mut tar = Command::new("tar");
    tar.arg("cJf").arg(&archive).arg("-C").arg(target.join("pack")).arg("embert-cuda");
    process::run_checked(&mut tar)?;
    check_size(&archive)
}

/// The GPU and the driver of the stand-in: CubeCL compiles for both.
const KERNELS_FOR: &str = "compute capability 9.0 and a driver of CUDA 13.0";

fn write_scripts(folder: &Path) -> std::io::Result<()> {
    fs::write(folder.join("kernels-for"), KERNELS_FOR)?;
    fs::write(folder.join("built-with"), libc_version())?;
    for (name, text) in SCRIPTS {
        fs::write(folder.join(name), text)?;
    }
    fs::copy(process::root().join("crates/embert-bench/peer.py"), folder.join("peer.py"))?;
    let Some(libdevice) = backend::libdevice() else {
        println!("libdevice was not found: the other machine needs the CUDA toolkit");
        return Ok(());
    };
    let copy = folder.join("cuda").join(backend::LIBDEVICE);
    fs::create_dir_all(copy.parent().unwrap_or(folder))?;
    fs::copy(libdevice, copy).map(drop)
}

/// Returns the version of this system's C library. The binary needs at least this one.
fn libc_version() -> String {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    output.map_or_else(|_| "glibc".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Deletes the workloads of other lengths. Returns the paths of the rest.
fn keep_lengths(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if LENGTHS.iter().any(|length| name.contains(length)) {
            kept.push(path);
        } else {
            fs::remove_file(path)?;
        }
    }
    kept.sort();
    Ok(kept)
}

/// Compiles every kernel on the stand-in driver, so that the GPU need not wait for it. Returns the launches of a step.
///
/// Results of tuning are not stored, because the times of the driver mean nothing.
fn warm_up(folder: &Path, binary: &Path, workloads: &[PathBuf]) -> Result<usize, String> {
    let standin = StandIn::build()?;
    let log = standin.fresh("pack.log");
    let command = || {
        let mut command = standin.command(binary);
        command.current_dir(folder); // with cubecl.toml
        for cache in ["CUBECL_AUTOTUNE_CACHE", "CUBECL_THROUGHPUT_CACHE", "CUBECL_AUTOTUNE_SHORT_CIRCUIT"] {
            command.env(cache, "off");
        }
        command.env("CUBECL_AUTOTUNE_LEVEL", "minimal"); // as in run.sh
        command
    };
    // Without computing kernels the values are wrong, so parity fails. Its kernels are compiled all the same.
    let mut parity = command();
    parity.args(["parity", "--device", "cuda", "--fixtures", "fixtures"]);
    let output = parity.output().map_err(|source| process::cannot_start(&parity, &source))?;
    println!(
        "compiled the kernels of parity ({} lines)",
        String::from_utf8_lossy(&output.stdout).lines().count()
    );
    for path in workloads {
        let text = fs::read_to_string(path).map_err(|source| format!("{}: {source}", path.display()))?;
        let mut worker = command();
        if path.ends_with(PROFILED) {
            worker.env("EMBERT_STANDIN_LOG", &log);
        }
        println!("compiling the kernels of {}", path.display());
        standin::run_worker(worker, &text)?;
    }
    let text = fs::read_to_string(&log).map_err(|source| format!("{}: {source}", log.display()))?;
    log::steps(&text).last().map(|step| step.launches).ok_or("the log has no steps".into())
}

fn check_size(archive: &Path) -> Outcome {
    let size = fs::metadata(archive).map_or(0, |file| file.len());
    let report = format!("{}: {:.1} MiB", archive.display(), size as f64 / f64::from(1 << 20));
    if size > MOST_BYTES {
        return Err(format!("{report}, more than {} MiB", MOST_BYTES >> 20));
    }
    println!("{report}; needs {} or newer; the kernels are for {KERNELS_FOR}", libc_version());
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_runs_only_packed_workloads() {
        for line in RUN.lines().filter(|line| line.contains("bert-base-")) {
            for name in line
                .split(|c: char| !c.is_alphanumeric() && c != '-')
                .filter(|word| word.starts_with("bert-base-"))
            {
                assert!(LENGTHS.iter().any(|length| name.contains(length)), "{name}");
                assert!(["fp32", "bf16", "fp16"].iter().any(|precision| name.ends_with(precision)), "{name}");
            }
        }
    }
}
