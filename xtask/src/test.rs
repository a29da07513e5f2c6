//! `cargo xtask test`: runs all tests of the workspace, including documentation examples.

use crate::{
    Outcome,
    arguments::Arguments,
    backend::Backend,
    cuda, process,
    vulkan::{self, Driver},
};
use std::{ffi::OsString, process::Command, process::ExitCode};

const USAGE: &str = "\
Usage: cargo xtask test [--backend cpu|wgpu|cuda]

Runs all tests on the CPU. With --backend wgpu, also runs the tests of that backend, on the machine's Vulkan driver or
on SwiftShader (Debian's chromium-common).

With --backend cuda, runs other tests, without a GPU: parity on emulated kernels, and limits of launches, memory and
registers. They use a stand-in for NVIDIA's driver. The build takes ten minutes or more.";

/// The features of every cargo command, so that no dependency is built twice.
#[derive(Default)]
pub(crate) struct Build {
    /// The features of tested backends other than the CPU.
    pub features: Option<&'static str>,
    driver: Option<Driver>,
}

impl Build {
    /// Adds the wgpu backend. Its tests skip themselves without a driver.
    pub(crate) fn with_wgpu(driver: Option<Driver>) -> Self {
        Self { features: Some("--features=embert-cli/wgpu,embert-bench/wgpu,embert/hub"), driver }
    }

    /// Returns a cargo command with these arguments and the features.
    pub(crate) fn cargo(&self, line: &str) -> Command {
        let mut command = process::cargo(line.split(' ').take_while(|word| *word != "--"));
        command.args(self.features);
        command.args(line.split(' ').skip_while(|word| *word != "--"));
        if let Some(Driver::SwiftShader(path)) = &self.driver {
            command.env("VK_DRIVER_FILES", path);
            // Without throughput probes, which take minutes on the CPU: they run at every level below `full`.
            command.env("CUBECL_AUTOTUNE_LEVEL", "full");
        }
        command
    }
}

pub(crate) fn run(args: Vec<OsString>) -> Outcome {
    let Some(Arguments { backend, rest, .. }) = Arguments::parse(args)? else {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    match (backend, rest.first()) {
        (_, Some(arg)) => Err(format!("test takes only --backend, found `{}`", arg.display())),
        (Backend::Cpu, None) => run_with(&Build::default()),
        (Backend::Wgpu, None) => run_with(&Build::with_wgpu(Some(vulkan::driver()?))),
        (Backend::Cuda, None) => cuda::test(),
    }
}

/// Runs the tests in the dev profile, which compiles dependencies much faster than the release profile.
pub(crate) fn run_with(build: &Build) -> Outcome {
    process::run(build.cargo("test --workspace"))
}
