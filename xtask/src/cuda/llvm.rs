//! Finds LLVM for the CUDA backend: cubecl-llvm links it, and its build script downloads it if it is not there.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::process;

const BUNDLER: &str = "tracel-llvm-bundler";
const RELEASES: &str = "https://github.com/tracel-ai/tracel-llvm/releases/download";

/// Fails if LLVM is neither installed nor can be downloaded. The error says what to do.
pub(super) fn check() -> Result<(), String> {
    let lock = fs::read_to_string(process::root().join("Cargo.lock"))
        .map_err(|source| format!("Cargo.lock: {source}"))?;
    let version = locked_version(&lock, BUNDLER).ok_or(format!("Cargo.lock has no {BUNDLER}"))?;
    if is_installed(version) || can_download(version) {
        return Ok(());
    }
    Err(format!(
        "LLVM {version} for CubeCL is neither installed nor can it be downloaded from GitHub; on Debian, \
         xtask/scripts/llvm-for-cuda.sh prepares it from Debian's packages"
    ))
}

fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// Returns true if the bundler's folder is complete.
fn is_installed(version: &str) -> bool {
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(|| {
        let home = env::var_os("HOME")?;
        Some(Path::new(&home).join(".local/share"))
    });
    let marker = |data: PathBuf| data.join(format!("tracel/tracel-llvm-{version}/.tracel-llvm-installed"));
    data.is_some_and(|data| marker(data).exists())
}

fn can_download(version: &str) -> bool {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--location", "--head", "--max-time", "20"]);
    curl.arg(format!("{RELEASES}/v{version}/linux-x64.checksums.json"));
    curl.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_lock_file() {
        let lock = "[[package]]\nname = \"other\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"x\"\nversion = \"2.1.0-4\"\n";
        assert_eq!(locked_version(lock, "x"), Some("2.1.0-4"));
        assert_eq!(locked_version(lock, "y"), None);
    }
}
