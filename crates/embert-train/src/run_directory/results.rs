//! The result files, with transformers' keys: `train_results.json`, `eval_results.json`, `all_results.json`.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::run_files::ALL_RESULTS;
use crate::error::{TrainError, at};
use crate::evaluate::Evaluation;
use crate::event::TrainReport;
use crate::metrics::to_object;

/// Writes the result files; without an evaluation, no `eval_results.json`. `more` are further results of the evaluation.
pub(crate) fn write_results(
    directory: &Path,
    report: &TrainReport,
    evaluation: Option<&Evaluation>,
    more: &Map<String, Value>,
    labels: &[String],
) -> Result<(), TrainError> {
    let mut train = to_object(report);
    train.remove("step");
    write_json(directory, "train_results.json", &train)?;
    let mut all = train;
    if let Some(evaluation) = evaluation {
        let mut eval = evaluation.to_results(labels);
        eval.extend(more.clone());
        eval.insert("epoch".to_owned(), report.epoch.into());
        write_json(directory, "eval_results.json", &eval)?;
        all.extend(eval);
    }
    write_json(directory, ALL_RESULTS, &all)
}

/// Writes a JSON file.
pub(crate) fn write_json(directory: &Path, name: &str, value: &impl Serialize) -> Result<(), TrainError> {
    let text = serde_json::to_string_pretty(value).expect("results are plain data");
    write(directory, name, &(text + "\n"))
}

/// Writes a text file.
pub(crate) fn write(directory: &Path, name: &str, text: &str) -> Result<(), TrainError> {
    let path = directory.join(name);
    fs::write(&path, text).map_err(at(path))
}
