//! The names of the files of a run. Code that removes or renames files checks the names here first.

use std::path::Path;

/// The files of a model or an adapter, and its tokenizer.
const MODEL_FILES: [&str; 12] = [
    CONFIG,
    "model.safetensors",
    embert_model::ADAPTER_MODEL_CONFIG,
    "adapter_config.json",
    "adapter_model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
];

/// Returns the names of the files to publish: the model or adapter, the tokenizer and the model card of a directory.
pub fn published_files(directory: &Path) -> Vec<&'static str> {
    let names = MODEL_FILES.into_iter().chain([CARD]);
    names.filter(|name| directory.join(name).is_file()).collect()
}

/// The configuration of a model.
pub(crate) const CONFIG: &str = "config.json";
/// The model card. A run writes it last and atomically.
pub(crate) const CARD: &str = "README.md";
/// The results of training and evaluation.
pub(crate) const ALL_RESULTS: &str = "all_results.json";
/// The recipe of the run.
pub(crate) const RECIPE: &str = "recipe.toml";
/// The log of the run.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// Files of a run, one for each format that is also a format of data.
pub const FILES_LIKE_DATA: [&str; 3] = ["vocab.txt", METRICS, "special_tokens_map.json"];
/// The state in the format of transformers' Trainer.
pub(crate) const TRAINER_STATE: &str = "trainer_state.json";
/// The state of the optimizer in a checkpoint.
pub(crate) const OPTIMIZER: &str = "optimizer.safetensors";
/// The state of the run in a checkpoint.
pub(crate) const STATE: &str = "state.json";
/// The lock file of a run in progress.
pub(crate) const LOCK: &str = ".lock";
/// The mark of a replaced directory, which may be removed.
pub(crate) const REPLACED: &str = ".replaced";

const RESULT_FILES: [&str; 5] = [CARD, ALL_RESULTS, "curves.svg", "eval_results.json", "train_results.json"];

/// The stage of a run directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunStage {
    Finished,
    Unfinished,
}

/// The kind of an entry in a run directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    /// A partly written file.
    TemporaryFile,
    /// `checkpoint-N` or `checkpoint-N.superseded`.
    Checkpoint,
    /// `checkpoint-N.tmp`.
    TemporaryCheckpoint,
    /// `checkpoint-N.old` or `checkpoint-N.superseded.old`.
    ReplacedCheckpoint,
    /// Not from a run.
    Foreign,
}

/// Returns the kind of an entry by its name.
pub(crate) fn kind(name: &str, stage: RunStage) -> EntryKind {
    let checkpoint = checkpoint_kind(name);
    match stage {
        _ if checkpoint == Some(EntryKind::Checkpoint) => EntryKind::Checkpoint,
        _ if is_run_file(name) => EntryKind::File,
        RunStage::Finished => EntryKind::Foreign,
        RunStage::Unfinished if name == LOCK => EntryKind::File,
        RunStage::Unfinished if is_temporary(name) => EntryKind::TemporaryFile,
        RunStage::Unfinished => checkpoint.unwrap_or(EntryKind::Foreign),
    }
}

/// Returns true if a checkpoint of this kind may have a file with this name.
pub(crate) fn is_checkpoint_file(name: &str, kind: EntryKind) -> bool {
    let own = [TRAINER_STATE, OPTIMIZER, STATE, REPLACED];
    MODEL_FILES.contains(&name)
        || own.contains(&name)
        || kind == EntryKind::TemporaryCheckpoint && is_temporary(name)
}

/// Returns true for the files of a model, its tokenizer and its recipe, also partly written ones.
pub(crate) fn is_model_file(name: &str) -> bool {
    MODEL_FILES.contains(&name) || name == RECIPE || is_temporary(name)
}

/// Returns N of `checkpoint-N`.
pub(crate) fn checkpoint_step(name: &str) -> Option<usize> {
    let digits = name.strip_prefix("checkpoint-")?;
    let step = digits.parse::<usize>().ok()?;
    (step.to_string() == digits).then_some(step)
}

fn is_run_file(name: &str) -> bool {
    let own = [RECIPE, METRICS, TRAINER_STATE, REPLACED];
    MODEL_FILES.contains(&name) || RESULT_FILES.contains(&name) || own.contains(&name)
}

/// Returns true for a temporary file name: `recipe.toml.tmp`, `.tmp-model.safetensors`.
fn is_temporary(name: &str) -> bool {
    let is_safetensors =
        |name: &str| name == OPTIMIZER || name.ends_with(".safetensors") && MODEL_FILES.contains(&name);
    let is_text = |name: &str| [RECIPE, METRICS, CARD].contains(&name);
    name.strip_prefix(".tmp-").is_some_and(is_safetensors) || name.strip_suffix(".tmp").is_some_and(is_text)
}

fn checkpoint_kind(name: &str) -> Option<EntryKind> {
    let (base, kind) = match name.rsplit_once('.') {
        None => (name, EntryKind::Checkpoint),
        Some((base, "superseded")) => (base, EntryKind::Checkpoint),
        Some((base, "tmp")) => (base, EntryKind::TemporaryCheckpoint),
        Some((base, "old")) => {
            (base.strip_suffix(".superseded").unwrap_or(base), EntryKind::ReplacedCheckpoint)
        }
        Some(_) => return None,
    };
    checkpoint_step(base).map(|_| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_foreign() {
        use EntryKind::*;
        let cases = [
            ("model.safetensors", File, File),
            ("model_config.json", File, File),
            (".lock", Foreign, File),
            (".replaced", File, File),
            ("checkpoint-3", Checkpoint, Checkpoint),
            ("checkpoint-3.superseded", Checkpoint, Checkpoint),
            ("checkpoint-3.tmp", Foreign, TemporaryCheckpoint),
            ("checkpoint-3.old", Foreign, ReplacedCheckpoint),
            ("checkpoint-3.superseded.old", Foreign, ReplacedCheckpoint),
            ("recipe.toml.tmp", Foreign, TemporaryFile),
            ("README.md.tmp", Foreign, TemporaryFile),
            (".tmp-model.safetensors", Foreign, TemporaryFile),
            (".tmpAb3xYz", Foreign, Foreign),
            (".tmp", Foreign, Foreign),
            (".tmp-notes", Foreign, Foreign),
            ("notes.tmp", Foreign, Foreign),
            ("notes.old", Foreign, Foreign),
            ("model.safetensors.tmp", Foreign, Foreign),
            ("checkpoint-", Foreign, Foreign),
            ("checkpoint-best", Foreign, Foreign),
            ("checkpoint-03", Foreign, Foreign),
            ("checkpoint-+3", Foreign, Foreign),
            ("checkpoint-3.bak", Foreign, Foreign),
            ("Checkpoint-3", Foreign, Foreign),
            ("readme.md", Foreign, Foreign),
            ("state.json", Foreign, Foreign),
            ("data.csv", Foreign, Foreign),
        ];
        for (name, finished, unfinished) in cases {
            assert_eq!(kind(name, RunStage::Finished), finished, "{name}");
            assert_eq!(kind(name, RunStage::Unfinished), unfinished, "{name}");
        }
    }
}
