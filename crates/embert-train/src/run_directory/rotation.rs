//! Deletes old checkpoints: keeps at most `save_total_limit`, and always the last and the best.

use std::fs;
use std::path::{Path, PathBuf};

use super::contents::remove_checkpoint;
use super::run_files::{EntryKind, checkpoint_step};
use crate::error::{TrainError, at};

/// Returns the path of the checkpoint of a step.
pub(crate) fn checkpoint_dir(run: &Path, step: usize) -> PathBuf {
    run.join(format!("checkpoint-{step}"))
}

/// Deletes the oldest checkpoints of `run` until `limit` are left. Keeps the last one and the one of step `best`.
pub(crate) fn delete_old_checkpoints(
    run: &Path,
    limit: usize,
    best: Option<usize>,
) -> Result<(), TrainError> {
    to_delete(&checkpoint_steps(run)?, limit, best).into_iter().try_for_each(|step| delete(run, step))
}

/// Deletes every checkpoint of `run` except the one of step `best`.
pub(crate) fn delete_other_checkpoints(run: &Path, best: usize) -> Result<(), TrainError> {
    checkpoint_steps(run)?.into_iter().filter(|step| *step != best).try_for_each(|step| delete(run, step))
}

/// Deletes a checkpoint unless it has a foreign file.
fn delete(run: &Path, step: usize) -> Result<(), TrainError> {
    match remove_checkpoint(&checkpoint_dir(run, step), EntryKind::Checkpoint) {
        Err(TrainError::Foreign { .. }) => Ok(()),
        other => other,
    }
}

/// Returns the steps to delete. `steps` is sorted.
fn to_delete(steps: &[usize], limit: usize, best: Option<usize>) -> Vec<usize> {
    let Some((last, older)) = steps.split_last() else { return vec![] };
    let is_free = |step: &usize| Some(*step) != best;
    let num_kept = limit.max(1 + usize::from(best.is_some_and(|best| best != *last)));
    let surplus = steps.len().saturating_sub(num_kept);
    older.iter().copied().filter(is_free).take(surplus).collect()
}

/// Returns the steps of all checkpoints, sorted.
pub(crate) fn checkpoint_steps(run: &Path) -> Result<Vec<usize>, TrainError> {
    let mut steps = vec![];
    for entry in fs::read_dir(run).map_err(at(run))? {
        let name = entry.map_err(at(run))?.file_name();
        steps.extend(name.to_str().and_then(checkpoint_step));
    }
    steps.sort_unstable();
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        save_total_limit: usize,
        best: Option<usize>,
        steps: Vec<usize>,
        kept: Vec<usize>,
    }

    #[test]
    fn the_kept_checkpoints_match_transformers() {
        #[derive(Deserialize)]
        struct Cases {
            rotation: Vec<Case>,
        }
        let cases: Cases =
            serde_json::from_str(include_str!("../../tests/fixtures/best_model.json")).unwrap();
        assert!(cases.rotation.len() > 5);
        for Case { save_total_limit, best, steps, kept } in cases.rotation {
            let deleted = to_delete(&steps, save_total_limit, best);
            let found = steps.iter().copied().filter(|step| !deleted.contains(step)).collect::<Vec<_>>();
            assert_eq!(found, kept, "limit {save_total_limit}, best {best:?} of {steps:?}");
        }
    }

    #[test]
    fn only_checkpoints_are_deleted() {
        let run = tempfile::tempdir().unwrap();
        for name in ["checkpoint-9", "checkpoint-10", "checkpoint-100", "checkpoint-best", "other-3"] {
            fs::create_dir(run.path().join(name)).unwrap();
        }
        delete_old_checkpoints(run.path(), 1, Some(9)).unwrap();
        let exists = |name: &str| run.path().join(name).is_dir();
        assert!(exists("checkpoint-9") && exists("checkpoint-100") && !exists("checkpoint-10"));
        assert!(exists("checkpoint-best") && exists("other-3"));
    }

    #[test]
    fn a_checkpoint_with_a_foreign_file_is_kept() {
        let run = tempfile::tempdir().unwrap();
        for name in ["checkpoint-1", "checkpoint-2"] {
            fs::create_dir(run.path().join(name)).unwrap();
            fs::write(run.path().join(name).join("state.json"), "{}").unwrap();
        }
        let notes = run.path().join("checkpoint-1/notes.txt");
        fs::write(&notes, "mine").unwrap();
        delete_old_checkpoints(run.path(), 1, None).unwrap();
        assert_eq!(fs::read_to_string(&notes).unwrap(), "mine");
        assert!(run.path().join("checkpoint-1/state.json").is_file());
    }
}
