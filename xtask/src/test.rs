//! `cargo xtask test`: every test of the workspace, documentation's examples included.

use crate::{
    Outcome,
    backend::Backend,
    process,
    request::Request,
    vulkan::{self, Driver},
};
use std::{ffi::OsString, process::Command, process::ExitCode};

const USAGE: &str = "\
Usage: cargo xtask test [--backend cpu|wgpu]

Runs every test on the CPU; with --backend wgpu those of that backend, too, on the machine's Vulkan driver or on
SwiftShader (Debian's chromium-common).";

/// What cargo is told, so that no dependency is built twice.
#[derive(Default)]
pub(crate) struct Build {
    /// With the backends that are tested beside the CPU's.
    pub features: Option<&'static str>,
    driver: Option<Driver>,
}

impl Build {
    /// With the wgpu backend too, whose tests skip themselves where no driver is found.
    pub(crate) fn with_wgpu(driver: Option<Driver>) -> Self {
        Self { features: Some("--features=embert-cli/wgpu,embert-bench/wgpu"), driver }
    }

    /// Cargo with these words, and with the features.
    pub(crate) fn cargo(&self, line: &str) -> Command {
        let mut command = process::cargo(line.split(' ').take_while(|word| *word != "--"));
        command.args(self.features);
        command.args(line.split(' ').skip_while(|word| *word != "--"));
        if let Some(Driver::SwiftShader(path)) = &self.driver {
            command.env("VK_DRIVER_FILES", path);
        }
        command
    }
}

pub(crate) fn run(args: Vec<OsString>) -> Outcome {
    let Some(Request { backend, rest, .. }) = Request::parse(args)? else {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    match (backend, rest.first()) {
        (_, Some(arg)) => Err(format!("test takes --backend alone, found `{}`", arg.display())),
        (Backend::Cpu, None) => with(&Build::default()),
        (Backend::Wgpu, None) => with(&Build::with_wgpu(Some(vulkan::driver()?))),
        (Backend::Cuda, None) => {
            Err("there are no tests of cuda: `embert-bench parity --device cuda` compares a GPU".into())
        }
    }
}

/// In the profile of `cargo xtask train`.
pub(crate) fn with(build: &Build) -> Outcome {
    process::run(build.cargo("test --workspace --release"))
}
