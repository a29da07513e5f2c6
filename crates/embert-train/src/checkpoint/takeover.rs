//! Taking up the directory of a run that was stopped: what a kill left half done is mended, what comes later set aside.

use std::fs;
use std::path::Path;

use super::atomic::{remove_directory, replace_directory, sibling};
use super::lock::LOCK;
use super::rotation::{checkpoint, steps};
use crate::error::{TrainError, at};

/// Finishes or takes back what a kill interrupted: `X.tmp` goes, `X.old` becomes `X` again where there is no `X`. A run
/// that has no checkpoint yet goes as a whole.
pub(crate) fn mend_unfinished(run: &Path) -> Result<(), TrainError> {
    mend(run)?;
    let mut names = fs::read_dir(run).map_err(at(run))?.flatten().map(|entry| entry.file_name());
    let is_unstarted =
        names.all(|name| ["recipe.toml", "metrics.jsonl", LOCK].iter().any(|own| name == *own));
    if is_unstarted { remove_directory(run) } else { Ok(()) }
}

/// The same for a run that is being finished.
pub(crate) fn mend(run: &Path) -> Result<(), TrainError> {
    for entry in fs::read_dir(run).map_err(at(run))? {
        let path = entry.map_err(at(run))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if name.starts_with(".tmp") => fs::remove_file(&path).map_err(at(&path))?, // of the safetensors crate
            Some("tmp") if path.is_dir() => remove_directory(&path)?,
            Some("tmp") => fs::remove_file(&path).map_err(at(&path))?,
            Some("old") if path.with_extension("").exists() => remove_directory(&path)?,
            Some("old") => fs::rename(&path, path.with_extension("")).map_err(at(&path))?,
            _ => {}
        }
    }
    Ok(())
}

/// Gives checkpoints after `step`, which the run is going to write anew, the name `checkpoint-N.superseded`.
pub(crate) fn set_aside(run: &Path, step: usize) -> Result<(), TrainError> {
    for later in steps(run)?.into_iter().filter(|later| *later > step) {
        let path = checkpoint(run, later);
        replace_directory(&path, &sibling(&path, "superseded"))?;
    }
    Ok(())
}

/// Puts the checkpoints of one run up to `step` into the directory of another, as links where the disk allows.
pub(crate) fn bring(from: &Path, to: &Path, step: usize) -> Result<(), TrainError> {
    for earlier in steps(from)?.into_iter().filter(|earlier| *earlier <= step) {
        let (source, target) = (checkpoint(from, earlier), checkpoint(to, earlier));
        fs::create_dir_all(&target).map_err(at(&target))?;
        for entry in fs::read_dir(&source).map_err(at(&source))? {
            let path = entry.map_err(at(&source))?.path();
            let copy = target.join(path.file_name().unwrap_or_default());
            let linked = fs::hard_link(&path, &copy);
            linked.or_else(|_| fs::copy(&path, &copy).map(drop)).map_err(at(&copy))?;
        }
    }
    Ok(())
}
