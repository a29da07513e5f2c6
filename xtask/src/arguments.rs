//! The arguments of xtask's commands: the backend to build, and arguments to pass on.

use crate::backend::Backend;
use std::ffi::OsString;

#[derive(Debug, PartialEq)]
pub(crate) struct Arguments {
    pub backend: Backend,
    /// The value of `--device` in `rest`.
    pub device: Option<String>,
    pub rest: Vec<OsString>,
}

impl Arguments {
    /// Parses `--backend` and `--help`. `rest` has all other arguments, and everything after `--`.
    ///
    /// Returns `None` for `--help`. Without `--backend`, the backend is that of `--device`, or the CPU.
    pub(crate) fn parse(args: Vec<OsString>) -> Result<Option<Self>, String> {
        let mut named = None;
        let mut rest = Vec::new();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("--") => rest.extend(args.by_ref()),
                Some("--help" | "-h") => return Ok(None),
                Some("--backend") => {
                    named = Some(backend(&args.next().unwrap_or_default().to_string_lossy())?)
                }
                Some(text) if text.starts_with("--backend=") => {
                    named = Some(backend(&text["--backend=".len()..])?)
                }
                _ => rest.push(arg),
            }
        }
        let device = device(&rest);
        let backend = decide(named, device.as_deref())?;
        Ok(Some(Self { backend, device, rest }))
    }
}

fn backend(name: &str) -> Result<Backend, String> {
    let known = || Backend::ALL.map(Backend::name).join(", ");
    Backend::from_name(name).ok_or_else(|| format!("--backend must be one of {}, found `{name}`", known()))
}

/// Returns X of the last `--device X`, `--device=X`, `--devices X` or `--devices=X`.
fn device(rest: &[OsString]) -> Option<String> {
    let texts: Vec<_> = rest.iter().map(|arg| arg.to_string_lossy()).collect();
    (0..texts.len()).rev().find_map(|i| {
        match texts[i].strip_prefix("--devices").or(texts[i].strip_prefix("--device"))? {
            "" => texts.get(i + 1).map(|value| value.to_string()),
            value => value.strip_prefix('=').map(String::from),
        }
    })
}

fn decide(named: Option<Backend>, device: Option<&str>) -> Result<Backend, String> {
    // embert itself fails for a device without a backend.
    let of_device = device.and_then(|device| Backend::from_name(device.split(':').next()?));
    match (named, of_device) {
        (Some(named), Some(other)) if named != other => {
            let (named, device) = (named.name(), device.unwrap_or_default());
            Err(format!("--backend {named} does not run on --device {device}: leave one of them out"))
        }
        (named, of_device) => Ok(named.or(of_device).unwrap_or(Backend::Cpu)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Arguments>, String> {
        Arguments::parse(line.split_whitespace().map(OsString::from).collect())
    }

    fn check(line: &str, backend: Backend, rest: &str) {
        let arguments = parse(line).expect("valid").expect("no help");
        let passed_on: Vec<_> = arguments.rest.iter().map(|arg| arg.to_string_lossy()).collect();
        assert_eq!((arguments.backend, passed_on.join(" ").as_str()), (backend, rest), "{line}");
    }

    #[test]
    fn all_arguments_except_the_backend_are_passed_on() {
        check("", Backend::Cpu, "");
        check("--recipe quickstart", Backend::Cpu, "--recipe quickstart");
        check("--backend cuda --model m", Backend::Cuda, "--model m");
        check("--model m --backend=wgpu", Backend::Wgpu, "--model m");
        check("--backend cpu -- --help --backend x", Backend::Cpu, "--help --backend x");
    }

    #[test]
    fn a_device_selects_its_backend() {
        check("--device cuda:1", Backend::Cuda, "--device cuda:1");
        check("-- --device=wgpu", Backend::Wgpu, "--device=wgpu");
        check("--devices cuda:0,cuda:1", Backend::Cuda, "--devices cuda:0,cuda:1");
        check("--backend cuda --device cuda:0", Backend::Cuda, "--device cuda:0");
        assert!(parse("--backend wgpu --device cpu").unwrap_err().contains("leave one of them out"));
    }

    #[test]
    fn help_and_errors_stop_parsing() {
        assert_eq!(parse("--recipe x --help"), Ok(None));
        assert_eq!(
            parse("--backend gpu").unwrap_err(),
            "--backend must be one of cpu, cuda, wgpu, found `gpu`"
        );
        assert_eq!(parse("--backend").unwrap_err(), "--backend must be one of cpu, cuda, wgpu, found ``");
    }
}
