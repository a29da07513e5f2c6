//! Resuming a run in a directory: repairs what a kill interrupted, sets later checkpoints aside, copies earlier ones.

use std::fs::{self, File};
use std::path::Path;

use super::atomic::{flush_tree, mark, replace_checkpoint, replace_run, restore_checkpoint, sibling, unmark};
use super::contents::{self, Contents, is_replaced, remove_checkpoint, remove_copies};
use super::places::Places;
use super::rotation::{checkpoint, steps};
use super::run_files::{Kind, METRICS, RECIPE, Stage, is_checkpoint_file};
use crate::error::{TrainError, at};

/// Repairs the directory of an unfinished run. A run that has not saved anything is removed.
pub(crate) fn mend_unfinished(run: &Path) -> Result<(), TrainError> {
    mend(run)?;
    match contents::read(run, Stage::Unfinished)? {
        Some(contents) if contents.is_unstarted() => contents.remove(run),
        _ => Ok(()),
    }
}

/// Removes what a kill left half written, and renames back what it left half replaced.
pub(crate) fn mend(run: &Path) -> Result<(), TrainError> {
    let Some(contents) = contents::read(run, Stage::Unfinished)? else { return Ok(()) };
    for (kind, path) in &contents.own {
        match kind {
            Kind::TemporaryFile => fs::remove_file(path).map_err(at(path))?,
            Kind::TemporaryCheckpoint => remove_checkpoint(path, *kind)?,
            Kind::ReplacedCheckpoint => restore_checkpoint(path)?,
            _ => {}
        }
    }
    Ok(())
}

/// Renames checkpoints after `step`, which the run writes anew, to `checkpoint-N.superseded`.
pub(crate) fn set_aside(run: &Path, step: usize) -> Result<(), TrainError> {
    for later in steps(run)?.into_iter().filter(|later| *later > step) {
        let path = checkpoint(run, later);
        replace_checkpoint(&path, &sibling(&path, "superseded"))?;
    }
    Ok(())
}

/// Copies the checkpoints of one run up to `step` into the partial directory of another: all of them or none.
pub(crate) fn bring(
    from: &Path,
    places: &Places,
    replaced: Option<Contents>,
    step: usize,
) -> Result<(), TrainError> {
    let aside = places.aside();
    remove_aside(&aside)?;
    fs::create_dir_all(&aside).map_err(at(&aside))?;
    let copied = mark(&aside)
        .and_then(|()| copy(from, &aside, step))
        .and_then(|()| unmark(&aside))
        .and_then(|()| flush_tree(&aside))
        .and_then(|()| replace_run(&aside, &places.partial_dir, replaced));
    if copied.is_err() {
        let _ = remove_aside(&aside); // frees a full disk; the first error is the one to report
    }
    copied
}

/// Removes checkpoints that were being copied, however far a kill let the copy come.
pub(crate) fn remove_aside(aside: &Path) -> Result<(), TrainError> {
    if !is_replaced(aside) {
        match contents::read(aside, Stage::Unfinished)? {
            Some(_) => mark(aside)?, // a kill from now on leaves a directory that is still recognized
            None => return Ok(()),
        }
    }
    remove_copies(aside)
}

/// Hard links where the disk allows.
fn copy(from: &Path, to: &Path, step: usize) -> Result<(), TrainError> {
    for marker in [RECIPE, METRICS].map(|name| to.join(name)) {
        File::create(&marker).map_err(at(&marker))?;
    }
    for earlier in steps(from)?.into_iter().filter(|earlier| *earlier <= step) {
        let (source, target) = (checkpoint(from, earlier), checkpoint(to, earlier));
        fs::create_dir_all(&target).map_err(at(&target))?;
        for entry in fs::read_dir(&source).map_err(at(&source))? {
            let path = entry.map_err(at(&source))?.path();
            let name = path.file_name().unwrap_or_default();
            if path.is_file() && is_checkpoint_file(&name.to_string_lossy(), Kind::Checkpoint) {
                let copy = target.join(name);
                let linked = fs::hard_link(&path, &copy);
                linked.or_else(|_| fs::copy(&path, &copy).map(drop)).map_err(at(&copy))?;
            }
        }
    }
    Ok(())
}
