//! The stand-in driver: a library that records what a program asks of a GPU, and runs its kernels on the CPU.

use std::{
    env,
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::process;

/// The driver as `libcuda.so.1`, and the folder of the files that it writes.
pub(crate) struct StandIn {
    folder: PathBuf,
}

impl StandIn {
    /// Builds the driver and puts it into `target/standin`.
    pub(crate) fn build() -> Result<Self, String> {
        let folder = process::root().join("target/standin");
        let library = process::build_library("embert-standin")?;
        let place = || {
            fs::create_dir_all(folder.join("driver"))?;
            fs::copy(&library, folder.join("driver/libcuda.so.1"))
        };
        place().map_err(|source| format!("{}: {source}", folder.display()))?;
        Ok(Self { folder })
    }

    /// Returns the path of a file or folder that a run writes, after deleting what an earlier run wrote there.
    pub(crate) fn fresh(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(&path);
        path
    }

    /// Returns the path of a file or folder that a run wrote.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns a command that runs `program` on the driver, without computing the kernels.
    ///
    /// Its cache is apart from the user's: the times of this driver mean nothing, and neither does tuning with them.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder);
        command.env("LD_LIBRARY_PATH", library_path(&self.folder.join("driver")));
        command.env("XDG_CACHE_HOME", self.folder.join("cache"));
        command.env("EMBERT_STANDIN_CACHE", self.folder.join("emulated"));
        command.env_remove("EMBERT_STANDIN_EMULATE");
        command
    }

    /// Returns a command that runs `program` on the driver, which computes the kernels on the CPU.
    pub(crate) fn emulating(&self, program: &Path) -> Command {
        let mut command = self.command(program);
        command.env("EMBERT_STANDIN_EMULATE", "1");
        // Without throughput probes, which take minutes on the CPU: they run at every level below `full`.
        command.env("CUBECL_AUTOTUNE_LEVEL", "full");
        command
    }
}

/// Returns `folder` and the folders that are searched already.
fn library_path(folder: &Path) -> OsString {
    let searched = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders = [folder.to_owned()].into_iter().chain(env::split_paths(&searched));
    env::join_paths(folders).unwrap_or_else(|_| folder.into())
}

/// Runs a worker of the benchmarks with this workload as its standard input. Shows its measurement.
///
/// Shows its standard error only if it fails: CubeCL's probes of the speed panic on this driver, and it goes on.
/// The driver must not compute the kernels: the losses are not checked.
pub(crate) fn run_worker(mut command: Command, workload: &str) -> Result<(), String> {
    command.args(["worker", "--any-loss"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |reason: String| format!("embert-bench worker: {reason}");
    let mut child = command.spawn().map_err(|source| failed(source.to_string()))?;
    let written = child.stdin.take().expect("stdin is piped").write_all(workload.as_bytes());
    let output = child.wait_with_output().map_err(|source| failed(source.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr))));
    }
    println!("{}", String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default());
    written.map_err(|source| failed(source.to_string()))
}
