//! Recovery of an interrupted run: repairs its directory, renames later checkpoints, copies checkpoints.

use std::fs::{self, File};
use std::path::Path;

use super::atomic::{flush_tree, mark, replace_checkpoint, replace_run, restore_checkpoint, sibling, unmark};
use super::contents::{self, Contents, is_replaced, remove_checkpoint, remove_copies};
use super::rotation::{checkpoint_dir, checkpoint_steps};
use super::run_files::{EntryKind, METRICS, RECIPE, RunStage, is_checkpoint_file};
use super::run_paths::RunPaths;
use crate::error::{TrainError, at};

/// Repairs the directory of an unfinished run. Removes a directory with nothing to resume and nothing to lose.
pub(crate) fn repair_unfinished(run: &Path) -> Result<(), TrainError> {
    repair(run)?;
    match contents::read(run, RunStage::Unfinished)? {
        Some(contents) if contents.is_unstarted() => contents.remove(run),
        _ => Ok(()),
    }
}

/// Removes partly written files, and restores partly replaced checkpoints.
pub(crate) fn repair(run: &Path) -> Result<(), TrainError> {
    contents::read(run, RunStage::Unfinished)?.map_or(Ok(()), |contents| repair_entries(&contents))
}

/// As [`repair`], but accepts foreign files in complete checkpoints.
pub(crate) fn repair_in_progress(run: &Path) -> Result<(), TrainError> {
    repair_entries(&contents::read_in_progress(run)?)
}

fn repair_entries(contents: &Contents) -> Result<(), TrainError> {
    for (kind, path) in &contents.own {
        match kind {
            EntryKind::TemporaryFile => fs::remove_file(path).map_err(at(path))?,
            EntryKind::TemporaryCheckpoint => remove_checkpoint(path, *kind)?,
            EntryKind::ReplacedCheckpoint => restore_checkpoint(path)?,
            _ => {}
        }
    }
    Ok(())
}

/// Renames the checkpoints after `step` to `checkpoint-N.superseded`. The resumed run writes them again.
pub(crate) fn supersede_later_checkpoints(run: &Path, step: usize) -> Result<(), TrainError> {
    for later in checkpoint_steps(run)?.into_iter().filter(|later| *later > step) {
        let path = checkpoint_dir(run, later);
        replace_checkpoint(&path, &sibling(&path, "superseded"))?;
    }
    Ok(())
}

/// Copies the checkpoints up to `step` into the partial directory of another run: all of them, or none.
pub(crate) fn copy_checkpoints(
    from: &Path,
    paths: &RunPaths,
    replaced: Option<Contents>,
    step: usize,
) -> Result<(), TrainError> {
    let copy_dir = paths.copy_dir();
    remove_copy(&copy_dir)?;
    fs::create_dir_all(&copy_dir).map_err(at(&copy_dir))?;
    let copied = mark(&copy_dir)
        .and_then(|()| link_or_copy(from, &copy_dir, step))
        .and_then(|()| unmark(&copy_dir))
        .and_then(|()| flush_tree(&copy_dir))
        .and_then(|()| replace_run(&copy_dir, &paths.partial_dir, replaced));
    if copied.is_err() {
        let _ = remove_copy(&copy_dir); // frees space on a full disk; only the first error is reported
    }
    copied
}

/// Removes a complete or incomplete copy.
pub(crate) fn remove_copy(copy_dir: &Path) -> Result<(), TrainError> {
    if !is_replaced(copy_dir) {
        match contents::read(copy_dir, RunStage::Unfinished)? {
            Some(_) => mark(copy_dir)?, // after a kill, the rest is still recognized
            None => return Ok(()),
        }
    }
    remove_copies(copy_dir)
}

/// Links the files if the disk supports hard links, else copies them.
fn link_or_copy(from: &Path, to: &Path, step: usize) -> Result<(), TrainError> {
    for marker in [RECIPE, METRICS].map(|name| to.join(name)) {
        File::create(&marker).map_err(at(&marker))?;
    }
    for earlier in checkpoint_steps(from)?.into_iter().filter(|earlier| *earlier <= step) {
        let (source, target) = (checkpoint_dir(from, earlier), checkpoint_dir(to, earlier));
        fs::create_dir_all(&target).map_err(at(&target))?;
        for entry in fs::read_dir(&source).map_err(at(&source))? {
            let path = entry.map_err(at(&source))?.path();
            let name = path.file_name().unwrap_or_default();
            if path.is_file() && is_checkpoint_file(&name.to_string_lossy(), EntryKind::Checkpoint) {
                let copy = target.join(name);
                let linked = fs::hard_link(&path, &copy);
                linked.or_else(|_| fs::copy(&path, &copy).map(drop)).map_err(at(&copy))?;
            }
        }
    }
    Ok(())
}
