//! Reads the rows that a recipe names, samples and cleans them.

use std::path::{Path, PathBuf};

use embert_data::{
    DataError, DataNote, Dataset, Labels, LoadedDataset, Target, check_evaluation_rows, clean, read,
    require_two_classes, stratified_split, synthetic,
};

use crate::error::CliError;
use crate::recipe::{DataSection, Recipe};
use crate::{hub, local_path, report};

/// The training rows and, if the run evaluates, the evaluation rows.
pub(crate) struct Examples {
    pub(crate) train: Dataset,
    pub(crate) eval: Option<EvalExamples>,
    pub(crate) notes: Vec<DataNote>,
}

/// Evaluation rows.
pub(crate) struct EvalExamples {
    pub(crate) dataset: Dataset,
    /// Describes the rows, such as `split test`.
    pub(crate) name: String,
}

/// An error of the data, or of the names of data.
pub(crate) enum ExamplesError {
    Data(DataError),
    Other(CliError),
}

impl From<DataError> for ExamplesError {
    fn from(error: DataError) -> Self {
        Self::Data(error)
    }
}

impl From<CliError> for ExamplesError {
    fn from(error: CliError) -> Self {
        Self::Other(error)
    }
}

impl From<ExamplesError> for CliError {
    fn from(error: ExamplesError) -> Self {
        match error {
            ExamplesError::Data(error) => error.into(),
            ExamplesError::Other(error) => error,
        }
    }
}

/// Reads the training and evaluation rows. `labels` are those of a fine-tuned model.
pub(crate) fn read_examples(recipe: &Recipe, labels: Option<&Labels>) -> Result<Examples, ExamplesError> {
    let data = &recipe.data;
    let mut notes = vec![];
    let (train, eval) = parts(data, recipe.evaluates(), labels, &mut notes)?;
    let train = select(&train, data.max_train_samples, data);
    require_two_classes(&train)?;
    let eval = eval.map(|eval| sampled(eval, data, &mut notes)).transpose()?;
    Ok(Examples { train, eval, notes })
}

/// Fails if the recipe's data does not exist. Called before a model is opened.
pub(crate) fn locate(recipe: &Recipe) -> Result<(), CliError> {
    let data = &recipe.data;
    if data.train_file.is_none() && data.dataset_name != SYNTHETIC {
        source(data, &splits(data, recipe.evaluates()))?;
    }
    let eval_file = data.eval_file().filter(|_| recipe.evaluates());
    let missing = data.train_file.iter().chain(eval_file).find(|file| !Path::new(file).exists());
    missing.map_or(Ok(()), |file| Err(CliError::rejected(local_path::no_such(file))))
}

/// Reads the rows that flags of `evaluate` name.
pub(crate) fn read_named(
    data: &DataSection,
    labels: &Labels,
    notes: &mut Vec<DataNote>,
) -> Result<EvalExamples, CliError> {
    let split = &data.test_split_name;
    let (path, name) = match data.eval_file() {
        Some(file) => (PathBuf::from(file), file.clone()),
        None if data.dataset_name == SYNTHETIC => {
            let dataset = with_labels(synthetic(data.synthetic_reviews, data.shuffle_seed), Some(labels))?;
            return Ok(sampled(EvalExamples { dataset, name: SYNTHETIC.into() }, data, notes)?);
        }
        None => {
            let path = source(data, &[split])?;
            let split = if path.is_file() { String::new() } else { format!(", split {split}") };
            (path, format!("{}{split}", data.dataset_name))
        }
    };
    let dataset = read_path(&path, data, split, Some(labels), notes)?;
    Ok(sampled(EvalExamples { dataset, name }, data, notes)?)
}

/// Reads the rows that a run evaluated.
pub(crate) fn read_of_run(
    recipe: &Recipe,
    labels: &Labels,
    notes: &mut Vec<DataNote>,
) -> Result<EvalExamples, CliError> {
    let data = &recipe.data;
    if !recipe.evaluates() && data.eval_file().is_none() && holds_out(data) {
        return Err(CliError::usage(
            "the run held out no rows to evaluate on; --dataset or --test_file names others",
        ));
    }
    let (_, eval) = parts(data, true, Some(labels), notes)?;
    Ok(sampled(eval.expect("evaluation rows were requested"), data, notes)?)
}

/// Returns the id of the label `pos_label`.
pub(crate) fn pos_label(data: &DataSection, labels: &[String]) -> Result<Option<usize>, CliError> {
    let Some(name) = &data.pos_label else { return Ok(None) };
    let by = |is_same: fn(&str, &str) -> bool| labels.iter().position(|label| is_same(label, name));
    match by(|a, b| a == b).or_else(|| by(|a, b| a.to_lowercase() == b.to_lowercase())) {
        Some(id) => Ok(Some(id)),
        None => Err(CliError::usage(format!(
            "unknown label --pos_label {name}; the labels are {}",
            labels.join(", ")
        ))),
    }
}

/// The name of the generated data set.
pub(crate) const SYNTHETIC: &str = "synthetic";

type Parts = (Dataset, Option<EvalExamples>);

/// Reads all training rows and, if `evaluates`, all evaluation rows.
fn parts(
    data: &DataSection,
    evaluates: bool,
    labels: Option<&Labels>,
    notes: &mut Vec<DataNote>,
) -> Result<Parts, ExamplesError> {
    if data.train_file.is_none() && data.dataset_name == SYNTHETIC {
        let all = with_labels(synthetic(data.synthetic_reviews, data.shuffle_seed), labels)?;
        return split(all, evaluates, data);
    }
    let path = match &data.train_file {
        Some(file) => PathBuf::from(file),
        None => source(data, &splits(data, evaluates))?,
    };
    let train = read_path(&path, data, &data.train_split_name, labels, notes)?;
    let (eval_path, name) = match data.eval_file() {
        _ if !evaluates => return Ok((train, None)),
        Some(file) => (PathBuf::from(file), file.clone()),
        None if path.is_file() => return split(train, evaluates, data),
        None => (path, format!("split {}", data.test_split_name)),
    };
    let dataset = read_path(&eval_path, data, &data.test_split_name, Some(&train.labels), notes)?;
    Ok((train, Some(EvalExamples { dataset, name })))
}

/// Returns the splits that a run reads.
fn splits(data: &DataSection, evaluates: bool) -> Vec<&str> {
    let eval = Some(data.test_split_name.as_str()).filter(|_| evaluates && data.eval_file().is_none());
    [data.train_split_name.as_str()].into_iter().chain(eval).collect()
}

/// Holds out rows for evaluation, if the run evaluates.
fn split(all: Dataset, evaluates: bool, data: &DataSection) -> Result<Parts, ExamplesError> {
    if !evaluates {
        return Ok((all, None));
    }
    let held_out = (all.len() as f64 * data.validation_share).round() as usize;
    let split = stratified_split(&all, held_out, data.shuffle_seed)?;
    let name = format!("{} rows held out", report::grouped(split.held_out.len()));
    Ok((split.train, Some(EvalExamples { dataset: split.held_out, name })))
}

/// Returns true if evaluation rows are held out of the training rows.
fn holds_out(data: &DataSection) -> bool {
    let path = data.train_file.as_ref().unwrap_or(&data.dataset_name);
    data.train_file.is_some() || data.dataset_name == SYNTHETIC || Path::new(path).is_file()
}

/// Renumbers the labels of generated rows to those of a model.
fn with_labels(mut dataset: Dataset, labels: Option<&Labels>) -> Result<Dataset, DataError> {
    let Some(labels) = labels else { return Ok(dataset) };
    for (row, example) in (1..).zip(&mut dataset.examples) {
        let Target::Label(id) = &mut example.target else { continue };
        let name = &dataset.labels.names()[*id];
        *id = labels.id(name).ok_or_else(|| DataError::UnknownLabel {
            path: SYNTHETIC.into(),
            row,
            label: format!("{name:?}"),
            known: labels.names().join(", "),
        })?;
    }
    Ok(Dataset { labels: labels.clone(), ..dataset })
}

/// Returns a local path, or downloads a data set from the hub.
fn source(data: &DataSection, splits: &[&str]) -> Result<PathBuf, CliError> {
    let name = &data.dataset_name;
    if Path::new(name).exists() {
        return Ok(name.into());
    }
    match local_path::missing(name) {
        Some(message) => Err(CliError::rejected(message)),
        None => hub::dataset(name, splits).map_err(|error| local_path::with_advice(error, name)),
    }
}

fn read_path(
    path: &Path,
    data: &DataSection,
    split: &str,
    labels: Option<&Labels>,
    notes: &mut Vec<DataNote>,
) -> Result<Dataset, ExamplesError> {
    let options = data.read_options()?;
    let LoadedDataset { dataset, notes: more } = read(path, split, &options, labels)?;
    tracing::debug!(path = %path.display(), split, rows = dataset.len(), "read");
    notes.extend(more);
    Ok(dataset)
}

/// Selects `max_eval_samples` rows.
fn sampled(
    EvalExamples { dataset, name }: EvalExamples,
    data: &DataSection,
    notes: &mut Vec<DataNote>,
) -> Result<EvalExamples, ExamplesError> {
    let selected = select(&dataset, data.max_eval_samples, data);
    notes.extend(check_evaluation_rows(&selected)?);
    let name = if selected.len() < dataset.len() {
        format!("{} of {} rows of {name}: max_eval_samples", selected.len(), dataset.len())
    } else {
        name
    };
    Ok(EvalExamples { dataset: selected, name })
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
