//! The names of the files that a run writes. Code that removes or renames a file asks here first.

use std::path::Path;

/// A model or an adapter, and its tokenizer.
const MODEL_FILES: [&str; 10] = [
    "config.json",
    "model.safetensors",
    embert_model::ADAPTER_MODEL_CONFIG,
    "adapter_config.json",
    "adapter_model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
];

/// The model or adapter, the tokenizer and the card that a directory has: what is published of a run.
pub fn published_files(directory: &Path) -> Vec<&'static str> {
    let names = MODEL_FILES.into_iter().chain([CARD]);
    names.filter(|name| directory.join(name).is_file()).collect()
}

/// The model card.
const CARD: &str = "README.md";
/// The recipe of the run.
pub(crate) const RECIPE: &str = "recipe.toml";
/// The log of the run.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// The state in the format of transformers' Trainer.
pub(crate) const TRAINER_STATE: &str = "trainer_state.json";
/// The state of the optimizer in a checkpoint.
pub(crate) const OPTIMIZER: &str = "optimizer.safetensors";
/// The state of the run in a checkpoint.
pub(crate) const STATE: &str = "state.json";
/// The lock of a run that trains.
pub(crate) const LOCK: &str = ".lock";
/// Marks a directory that a newer one replaces: what has it may be removed.
pub(crate) const REPLACED: &str = ".replaced";

const RESULT_FILES: [&str; 5] =
    [CARD, "all_results.json", "curves.svg", "eval_results.json", "train_results.json"];

/// Whether the directory is complete or belongs to a run that has not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Finished,
    Unfinished,
}

/// The kind of a file in a run's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    /// A file that a kill interrupted.
    TemporaryFile,
    /// `checkpoint-N` or `checkpoint-N.superseded`.
    Checkpoint,
    /// `checkpoint-N.tmp`.
    TemporaryCheckpoint,
    /// `checkpoint-N.old` or `checkpoint-N.superseded.old`.
    ReplacedCheckpoint,
    /// Nothing that a run writes.
    Foreign,
}

/// Classifies a name at the top of a run's directory.
pub(crate) fn kind(name: &str, stage: Stage) -> Kind {
    let checkpoint = checkpoint_kind(name);
    match stage {
        _ if checkpoint == Some(Kind::Checkpoint) => Kind::Checkpoint,
        _ if is_run_file(name) => Kind::File,
        Stage::Finished => Kind::Foreign,
        Stage::Unfinished if name == LOCK => Kind::File,
        Stage::Unfinished if is_temporary(name) => Kind::TemporaryFile,
        Stage::Unfinished => checkpoint.unwrap_or(Kind::Foreign),
    }
}

/// Whether a checkpoint of this kind has a file of this name.
pub(crate) fn is_checkpoint_file(name: &str, kind: Kind) -> bool {
    let own = [TRAINER_STATE, OPTIMIZER, STATE, REPLACED];
    MODEL_FILES.contains(&name)
        || own.contains(&name)
        || kind == Kind::TemporaryCheckpoint && is_temporary(name)
}

/// The step in the name of a complete checkpoint.
pub(crate) fn checkpoint_step(name: &str) -> Option<usize> {
    let digits = name.strip_prefix("checkpoint-")?;
    let step = digits.parse::<usize>().ok()?;
    (step.to_string() == digits).then_some(step)
}

fn is_run_file(name: &str) -> bool {
    let own = [RECIPE, METRICS, TRAINER_STATE, REPLACED];
    MODEL_FILES.contains(&name) || RESULT_FILES.contains(&name) || own.contains(&name)
}

/// A file under its name before it is renamed: `recipe.toml.tmp`, `.tmp-model.safetensors`.
fn is_temporary(name: &str) -> bool {
    let is_safetensors =
        |name: &str| name == OPTIMIZER || name.ends_with(".safetensors") && MODEL_FILES.contains(&name);
    let is_ours = |name: &str| [RECIPE, METRICS].contains(&name);
    name.strip_prefix(".tmp-").is_some_and(is_safetensors) || name.strip_suffix(".tmp").is_some_and(is_ours)
}

fn checkpoint_kind(name: &str) -> Option<Kind> {
    let (base, kind) = match name.rsplit_once('.') {
        None => (name, Kind::Checkpoint),
        Some((base, "superseded")) => (base, Kind::Checkpoint),
        Some((base, "tmp")) => (base, Kind::TemporaryCheckpoint),
        Some((base, "old")) => (base.strip_suffix(".superseded").unwrap_or(base), Kind::ReplacedCheckpoint),
        Some(_) => return None,
    };
    checkpoint_step(base).map(|_| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_run_are_told_from_names_that_look_alike() {
        use Kind::*;
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
            assert_eq!(kind(name, Stage::Finished), finished, "{name}");
            assert_eq!(kind(name, Stage::Unfinished), unfinished, "{name}");
        }
    }
}
