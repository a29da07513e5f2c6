//! Runs a workload in a child process, so that peak memory is that of the workload only.

use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::workload::{Measurement, Workload};

/// The argument that makes this executable a worker.
pub(crate) const WORKER: &str = "worker";

/// Runs the workload with embert.
pub(crate) fn embert(workload: &Workload) -> Result<Measurement, String> {
    let executable = executable().map_err(|source| format!("no path to this executable: {source}"))?;
    let mut command = Command::new(executable);
    command.arg(WORKER);
    run(command, workload)
}

/// Returns the path of this executable. On Linux, a later build at the same path does not change it.
fn executable() -> io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.into()) } else { env::current_exe() }
}

/// Runs the workload with transformers, with this Python.
pub(crate) fn peer(python: &str, workload: &Workload) -> Result<Measurement, String> {
    let mut command = Command::new(python);
    command.args(["-c", include_str!("../peer.py")]);
    run(command, workload)
}

/// Writes the workload to standard input. Reads the measurement from the last line of standard output.
fn run(mut command: Command, workload: &Workload) -> Result<Measurement, String> {
    let program = command.get_program().display().to_string();
    let failed = |reason: String| format!("{program}: {reason}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|source| failed(format!("did not start: {source}")))?;
    let text = serde_json::to_string(workload).expect("a workload is JSON");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let written = stdin.write_all(text.as_bytes());
    drop(stdin); // the child reads until the end of the file
    let output = child.wait_with_output().map_err(|source| failed(source.to_string()))?;
    written.map_err(|source| failed(format!("did not read its workload: {source}")))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    read(&String::from_utf8_lossy(&output.stdout)).map_err(failed)
}

fn read(stdout: &str) -> Result<Measurement, String> {
    let line = stdout.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|source| format!("printed `{line}`, not a measurement: {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_measurement() {
        let stdout = "a warning\n{\"seconds\": [0.5], \"first_seconds\": 2.0, \"peak_bytes\": null, \"versions\": \"torch 2\"}\n";
        let (seconds, first_seconds) = (vec![0.5], 2.0);
        let expected = Measurement { seconds, first_seconds, peak_bytes: None, versions: "torch 2".into() };
        assert_eq!(read(stdout), Ok(expected));
        assert!(read("").unwrap_err().starts_with("printed ``"));
    }
}
