//! Starts cargo and other processes.

use crate::{Outcome, backend::Backend};
use serde_json::Value;
use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
};

/// Returns the folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    // Cargo's variable at run time is also correct after the folder was moved.
    let manifest_dir = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest_dir.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Returns a cargo command in the workspace's folder.
///
/// Removes the variables that cargo set for xtask. The build script of `ring` reads them, so that cargo would rebuild
/// `ring` and its dependents.
pub(crate) fn cargo<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command and returns its exit code.
pub(crate) fn run(mut command: Command) -> Outcome {
    let status = command.status().map_err(|source| cannot_start(&command, &source))?;
    Ok(exit_code(status))
}

/// Replaces this process by the command, so that the command gets signals and sets the exit code.
#[cfg(unix)]
pub(crate) fn exec(mut command: Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    let source = command.exec(); // returns only on failure
    Err(cannot_start(&command, &source))
}

/// Runs the command and returns its exit code. Windows has no exec, and its console sends Ctrl-C to the child.
#[cfg(not(unix))]
pub(crate) fn exec(command: Command) -> Outcome {
    run(command)
}

/// Builds the binary of `package` for `backend` in release mode, and returns its path.
pub(crate) fn build(package: &str, backend: Backend) -> Result<PathBuf, String> {
    build_features(package, backend, backend.features())
}

/// Builds the binary of `package` with these features in release mode, and returns its path.
///
/// Prints a message if cargo compiles dependencies, which takes minutes.
pub(crate) fn build_features(package: &str, backend: Backend, features: &str) -> Result<PathBuf, String> {
    let mut command = cargo(["build", "--release", "--package", package]);
    command.args(["--no-default-features", "--features", features]);
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|source| cannot_start(&command, &source))?;
    let messages = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let binary = find_executable(messages.lines().map_while(Result::ok), package, backend);
    let status = child.wait().map_err(|source| cannot_start(&command, &source))?;
    match binary {
        Some(path) if status.success() => Ok(path),
        _ => Err(format!("cannot build {package} for {}; see cargo's error above", backend.name())),
    }
}

/// Builds the dynamic library of `package` in release mode, and returns its path.
pub(crate) fn build_library(package: &str) -> Result<PathBuf, String> {
    let mut command = cargo(["build", "--release", "--lib", "--package", package]);
    command.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let output = command.output().map_err(|source| cannot_start(&command, &source))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    match find_library(messages.lines()) {
        Some(path) if output.status.success() => Ok(path),
        _ => Err(format!("cannot build the library of {package}; see cargo's error above")),
    }
}

/// Returns the last `.so` file of cargo's messages.
fn find_library<'a>(messages: impl Iterator<Item = &'a str>) -> Option<PathBuf> {
    let names = |line: &str| serde_json::from_str::<Value>(line).ok()?["filenames"].as_array().cloned();
    let paths = messages.filter_map(names).flatten();
    let libraries =
        paths.filter_map(|path| path.as_str().filter(|path| path.ends_with(".so")).map(PathBuf::from));
    libraries.last()
}

/// Runs a command. Fails unless it succeeds.
pub(crate) fn run_checked(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().display().to_string();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} failed ({status})")),
        Err(error) => Err(format!("{program} did not start: {error}")),
    }
}

/// Reads all of cargo's messages, and returns the path of the executable.
fn find_executable(
    messages: impl Iterator<Item = String>,
    package: &str,
    backend: Backend,
) -> Option<PathBuf> {
    let mut announced = false;
    let mut binary = None;
    for message in messages.filter_map(|line| serde_json::from_str::<Value>(&line).ok()) {
        if !announced && compiles_a_dependency(&message) {
            announced = true;
            let (name, time) = (backend.name(), backend.first_build_time());
            eprintln!("Building {package} for {name}: {time} on 2 cores the first time, seconds afterwards.");
        }
        if let Some(path) = message["executable"].as_str() {
            binary = Some(PathBuf::from(path));
        }
    }
    binary
}

fn compiles_a_dependency(message: &Value) -> bool {
    message["fresh"] == Value::Bool(false)
        && message["package_id"].as_str().is_some_and(|id| id.starts_with("registry+"))
}

pub(crate) fn cannot_start(command: &Command, source: &std::io::Error) -> String {
    format!("{} did not start: {source}", command.get_program().display())
}

fn exit_code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return ExitCode::from(128 + signal as u8); // like a shell
    }
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_in_cargos_messages() {
        let messages = [
            r#"{"reason":"compiler-artifact","package_id":"registry+x#burn@0.22.1","fresh":true,"executable":null}"#,
            "not json",
            r#"{"reason":"compiler-artifact","package_id":"path+file:///x","fresh":false,"executable":"/t/embert"}"#,
            r#"{"reason":"build-finished","success":true}"#,
        ];
        let found = find_executable(messages.map(String::from).into_iter(), "embert-cli", Backend::Cpu);
        assert_eq!(found, Some(PathBuf::from("/t/embert")));
    }

    #[test]
    fn the_library_is_found_in_cargos_messages() {
        let messages = [
            r#"{"reason":"compiler-artifact","filenames":["/t/liblibc.rlib"]}"#,
            r#"{"reason":"compiler-artifact","filenames":["/t/libembert_standin.so","/t/libembert_standin.rlib"]}"#,
            "not json",
        ];
        assert_eq!(find_library(messages.into_iter()), Some(PathBuf::from("/t/libembert_standin.so")));
    }

    #[test]
    fn only_an_outdated_dependency_makes_the_build_long() {
        let check = |text: &str| compiles_a_dependency(&serde_json::from_str(text).expect("json"));
        assert!(check(r#"{"package_id":"registry+x#burn@0.22.1","fresh":false}"#));
        assert!(!check(r#"{"package_id":"registry+x#burn@0.22.1","fresh":true}"#));
        assert!(!check(r#"{"package_id":"path+file:///x","fresh":false}"#));
    }

    #[cfg(unix)]
    #[test]
    fn exit_codes_and_signals_are_returned() {
        let check = |script: &str, expected: u8| {
            let status = Command::new("sh").args(["-c", script]).status().expect("sh starts");
            assert_eq!(format!("{:?}", exit_code(status)), format!("{:?}", ExitCode::from(expected)));
        };
        check("exit 0", 0);
        check("exit 4", 4);
        check("kill -KILL $$", 137); // a process cannot ignore this signal
    }
}
