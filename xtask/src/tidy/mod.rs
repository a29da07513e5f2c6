//! `cargo xtask tidy`: checks the rules of `crates/README.md` that the compiler does not check.

mod boundaries;
mod files;
mod layers;
mod lock;
mod sizes;
mod source;

use crate::{Outcome, process};
use source::Source;
use std::{fmt, fs, io, path::Path, process::ExitCode};

/// A violation of a rule, with the fix.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

pub(crate) fn run() -> Outcome {
    let root = process::root();
    let sources = read_sources(&root).map_err(|source| format!("cannot read the sources: {source}"))?;
    let mut findings = layers::check(&root)?;
    findings.extend(files::check(&sources));
    findings.extend(boundaries::check(&sources));
    findings.sort();
    for finding in &findings {
        eprintln!("{finding}");
    }
    println!("{}", sizes::table(&sources));
    match findings.len() {
        0 => Ok(ExitCode::SUCCESS),
        1 => Err("tidy: 1 finding, listed above".into()),
        n => Err(format!("tidy: {n} findings, listed above")),
    }
}

/// Reads every `.rs` file of the project, sorted by path.
fn read_sources(root: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in ["crates", "xtask"] {
        collect(root, &root.join(folder), &mut sources)?;
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            sources.push(Source::new(relative, fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
