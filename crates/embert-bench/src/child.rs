//! Work done in a process of its own, so that its peak of memory is that of the work alone.

use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::work::{Answer, Work};

/// This executable, called with this word, reads work and answers.
pub(crate) const WORKER: &str = "worker";

/// Does the work with embert.
pub(crate) fn embert(work: &Work) -> Result<Answer, String> {
    let executable = executable().map_err(|source| format!("no path to this executable: {source}"))?;
    let mut command = Command::new(executable);
    command.arg(WORKER);
    answer(command, work)
}

/// On Linux the file that runs, even where a new build has taken its path since.
fn executable() -> io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.into()) } else { env::current_exe() }
}

/// Does the work with transformers, under this Python.
pub(crate) fn peer(python: &str, work: &Work) -> Result<Answer, String> {
    let mut command = Command::new(python);
    command.args(["-c", include_str!("../peer.py")]);
    answer(command, work)
}

/// The work goes to standard input; the last line of standard output is the answer.
fn answer(mut command: Command, work: &Work) -> Result<Answer, String> {
    let program = command.get_program().display().to_string();
    let failed = |reason: String| format!("{program}: {reason}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|source| failed(format!("did not start: {source}")))?;
    let text = serde_json::to_string(work).expect("work is JSON");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let written = stdin.write_all(text.as_bytes());
    drop(stdin); // the child reads to the end
    let output = child.wait_with_output().map_err(|source| failed(source.to_string()))?;
    written.map_err(|source| failed(format!("did not take its work: {source}")))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    read(&String::from_utf8_lossy(&output.stdout)).map_err(failed)
}

fn read(stdout: &str) -> Result<Answer, String> {
    let line = stdout.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|source| format!("answered `{line}`: {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_answer() {
        let stdout = "a warning\n{\"seconds\": [0.5], \"first_seconds\": 2.0, \"peak_bytes\": null, \"versions\": \"torch 2\"}\n";
        let (seconds, first_seconds) = (vec![0.5], 2.0);
        let expected = Answer { seconds, first_seconds, peak_bytes: None, versions: "torch 2".into() };
        assert_eq!(read(stdout), Ok(expected));
        assert!(read("").unwrap_err().starts_with("answered ``"));
    }
}
