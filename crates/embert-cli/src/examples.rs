//! The rows that a recipe names: read, sampled, cleaned, and turned into tokens.

use std::path::{Path, PathBuf};

use embert_data::{
    Dataset, Labels, ReadOptions, check_evaluation_rows, clean, read, require_two_classes, stratified_split,
    synthetic,
};
use embert_text::{EncodedTexts, Limit, Tokenizer, Truncation};

use crate::error::CliError;
use crate::hub;
use crate::progress::{Bar, warn};
use crate::recipe::DataSection;

/// What to train on and what to evaluate on.
pub(crate) struct Examples {
    pub(crate) train: Dataset,
    pub(crate) eval: Dataset,
    /// What `eval` is, in words.
    pub(crate) eval_name: String,
}

/// Reads both parts.
pub(crate) fn read_examples(data: &DataSection) -> Result<Examples, CliError> {
    let examples = whole(data)?;
    let train = select(&examples.train, data.max_train_samples, data);
    let eval = select(&examples.eval, data.max_eval_samples, data);
    require_two_classes(&train)?;
    if let Some(note) = check_evaluation_rows(&eval)? {
        warn(&note.to_string());
    }
    Ok(Examples { train, eval, eval_name: examples.eval_name })
}

/// Reads the part to evaluate on alone, with the labels of a model.
pub(crate) fn read_evaluation(data: &DataSection, labels: &Labels) -> Result<Dataset, CliError> {
    let file = data.validation_file.as_ref().or(data.test_file.as_ref());
    let eval = match file {
        Some(file) => read_path(Path::new(file), data, &data.test_split_name, Some(labels))?,
        None if data.dataset_name == SYNTHETIC => whole(data)?.eval,
        None => {
            read_path(&source(data, &[&data.test_split_name])?, data, &data.test_split_name, Some(labels))?
        }
    };
    Ok(select(&eval, data.max_eval_samples, data))
}

/// Which tokens of a text are kept.
pub(crate) fn limit(data: &DataSection, max_position_embeddings: usize) -> Result<Limit, CliError> {
    let truncation: Truncation = data.truncation_side.parse().map_err(CliError::usage)?;
    Ok(Limit::new(data.max_seq_length, truncation, max_position_embeddings)?)
}

/// The tokens of all texts, on all cores.
pub(crate) fn encode<T: AsRef<str> + Sync>(tokenizer: &Tokenizer, texts: &[T], limit: Limit) -> EncodedTexts {
    let bar = Bar::items("Tokenizing", texts.len());
    tokenizer.encode_all(texts, limit, &|more| bar.add(more))
}

/// The texts and the labels of a data set.
pub(crate) fn columns(dataset: &Dataset) -> (Vec<&str>, Vec<usize>) {
    dataset.examples.iter().map(|example| (example.text.as_str(), example.label)).unzip()
}

/// The name of the built-in generator.
const SYNTHETIC: &str = "synthetic";

fn whole(data: &DataSection) -> Result<Examples, CliError> {
    let eval_file = data.validation_file.as_ref().or(data.test_file.as_ref());
    if data.train_file.is_none() && data.dataset_name == SYNTHETIC {
        return split(synthetic(data.synthetic_reviews, data.shuffle_seed), data);
    }
    let path = match &data.train_file {
        Some(file) => PathBuf::from(file),
        None => source(data, &[&data.train_split_name, &data.test_split_name])?,
    };
    let train = read_path(&path, data, &data.train_split_name, None)?;
    let (eval_path, eval_name) = match eval_file {
        Some(file) => (PathBuf::from(file), file.clone()),
        None if path.is_file() => return split(train, data),
        None => (path, format!("split {}", data.test_split_name)),
    };
    let eval = read_path(&eval_path, data, &data.test_split_name, Some(&train.labels))?;
    Ok(Examples { train, eval, eval_name })
}

fn split(all: Dataset, data: &DataSection) -> Result<Examples, CliError> {
    let held_out = (all.len() as f64 * data.validation_share).round() as usize;
    let split = stratified_split(&all, held_out, data.shuffle_seed)?;
    let eval_name = format!("{} rows held out", split.held_out.len());
    Ok(Examples { train: split.train, eval: split.held_out, eval_name })
}

/// A path that is there, or a data set of the hub.
fn source(data: &DataSection, splits: &[&str]) -> Result<PathBuf, CliError> {
    let path = Path::new(&data.dataset_name);
    match path.exists() {
        true => Ok(path.to_owned()),
        false if looks_like_a_path(&data.dataset_name) => {
            Err(CliError::rejected(format!("{}: there is no such file or directory", data.dataset_name)))
        }
        false => Ok(hub::dataset(&data.dataset_name, splits)?),
    }
}

/// Whether a name can be no id of the hub, so that asking there would only confuse.
pub(crate) fn looks_like_a_path(name: &str) -> bool {
    let is_file = [".parquet", ".csv", ".tsv", ".jsonl"].iter().any(|extension| name.ends_with(extension));
    is_file || name.starts_with(['/', '.', '~']) || name.contains('\\') || name.matches('/').count() > 1
}

fn read_path(
    path: &Path,
    data: &DataSection,
    split: &str,
    labels: Option<&Labels>,
) -> Result<Dataset, CliError> {
    let options = ReadOptions { columns: data.columns(), ..ReadOptions::default() };
    let read = read(path, split, &options, labels)?;
    tracing::debug!(path = %path.display(), split, rows = read.dataset.len(), "read");
    read.notes.iter().for_each(|note| warn(&note.to_string()));
    Ok(read.dataset)
}

fn select(dataset: &Dataset, count: Option<usize>, data: &DataSection) -> Dataset {
    let mut selected = match count {
        Some(count) => dataset.sample(count, data.shuffle_seed),
        None => dataset.clone(),
    };
    if data.clean {
        for example in &mut selected.examples {
            example.text = clean(&example.text);
        }
    }
    selected
}
