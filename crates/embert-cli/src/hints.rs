//! The flags that help with an error of a library: libraries name none.

use embert_model::ModelError;
use embert_train::TrainError;

/// Returns the flag that solves a problem with a model.
pub(crate) fn of_model(error: &ModelError) -> Option<&'static str> {
    let is_count = matches!(error, ModelError::LabelCount { .. });
    is_count.then_some("--ignore_mismatched_sizes makes a new classifier")
}

/// Returns the flags that solve a problem with a run's directory.
pub(crate) fn of_train(error: &TrainError) -> Option<&'static str> {
    match error {
        TrainError::OutputExists { .. } => {
            Some("choose another or give --overwrite_output_dir to replace it")
        }
        TrainError::Unfinished { .. } => {
            Some("--resume_from_checkpoint last resumes it, --overwrite_output_dir replaces it")
        }
        _ => None,
    }
}
