//! Reads the rows that a recipe names, samples and cleans them.

use std::path::{Path, PathBuf};

use embert_data::{
    DataError, DataNote, Dataset, GlueTask, Labels, LoadedDataset, ProblemType, Synthetic, Target,
    check_evaluation_rows, clean, read, require_two_classes, saved_split, stratified_split,
};
use embert_hub::HubError;
use embert_model::AutoConfig;

use crate::error::CliError;
use crate::recipe::{DataSection, Recipe};
use crate::{eval_fingerprint, hints, hub, local_path, output, problem_type, report};

/// The training rows and, if the run evaluates, the evaluation rows.
pub(crate) struct Examples {
    pub(crate) train: Dataset,
    pub(crate) eval: Option<EvalExamples>,
    /// The second evaluation rows of MNLI.
    pub(crate) mismatched: Option<EvalExamples>,
    pub(crate) notes: Vec<DataNote>,
}

/// Evaluation rows.
pub(crate) struct EvalExamples {
    pub(crate) dataset: Dataset,
    /// Describes the rows, such as `split test`.
    pub(crate) name: String,
    /// The fingerprint of the rows before sampling.
    pub(crate) fingerprint: u64,
}

/// Evaluation rows before sampling.
struct AllRows {
    dataset: Dataset,
    name: String,
}

/// The labels and the problem type of a fine-tuned model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KnownLabels {
    pub(crate) labels: Labels,
    pub(crate) problem_type: ProblemType,
}

impl KnownLabels {
    fn of_rows(rows: &Dataset) -> Self {
        Self { labels: rows.labels.clone(), problem_type: rows.problem_type }
    }

    pub(crate) fn of(config: &AutoConfig) -> Result<Self, DataError> {
        let problem_type = problem_type::of_model(config.problem_type());
        Ok(Self { labels: Labels::new(config.label_names())?, problem_type })
    }
}

/// An error of the data, or of the names of data.
pub(crate) enum ExamplesError {
    Data(DataError),
    Other(CliError),
    /// The hub, or the cache without the hub, does not have a split of the data set.
    NoSplit(CliError),
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
            ExamplesError::Other(error) | ExamplesError::NoSplit(error) => error,
        }
    }
}

impl ExamplesError {
    /// Returns true if a split does not exist or has no labels.
    fn is_about_a_split(&self) -> bool {
        matches!(
            self,
            Self::NoSplit(_)
                | Self::Data(
                    DataError::SplitNotFound { .. }
                        | DataError::Unlabelled { .. }
                        | DataError::AllUnlabelled { .. }
                )
        )
    }
}

/// Reads the training and evaluation rows. `known` are the labels of a fine-tuned model.
///
/// If it fails, prints a warning about skipped files: the wanted rows may be there.
pub(crate) fn read_examples(recipe: &Recipe, known: Option<&KnownLabels>) -> Result<Examples, ExamplesError> {
    let mut notes = vec![];
    let examples = read_noting(recipe, known, &mut notes);
    if examples.is_err() {
        let skipped = notes.iter().filter(|note| matches!(note, DataNote::OtherFormats { .. }));
        skipped.take(1).map(hints::of_note).for_each(output::warn);
    }
    Ok(Examples { notes, ..examples? })
}

/// Reads the rows, without notes in the result.
fn read_noting(
    recipe: &Recipe,
    known: Option<&KnownLabels>,
    notes: &mut Vec<DataNote>,
) -> Result<Examples, ExamplesError> {
    let data = &recipe.data;
    let (train, eval) = parts(data, recipe.evaluates(), known, notes)?;
    let mismatched = match &eval {
        Some(_) => read_mismatched(data, &KnownLabels::of_rows(&train), notes)?,
        None => None,
    };
    let train = select(&train, data.max_train_samples, data);
    notes.extend(require_two_classes(&train)?);
    let eval = eval.map(|eval| sampled(eval, data, notes)).transpose()?;
    Ok(Examples { train, eval, mismatched, notes: vec![] })
}

/// Reads MNLI's mismatched rows, if the run evaluates the matched ones and the data set has both.
fn read_mismatched(
    data: &DataSection,
    known: &KnownLabels,
    notes: &mut Vec<DataNote>,
) -> Result<Option<EvalExamples>, ExamplesError> {
    let Some(data) = mismatched_data(data) else { return Ok(None) };
    let eval = match data.eval_file() {
        Some(file) if local_path::is_missing(file) => return Ok(None),
        Some(file) => of_file(file, &data.test_split_name, &data, Some(known), notes),
        None => of_split(&data, Some(known), notes),
    };
    match eval {
        Err(error) if error.is_about_a_split() => Ok(None),
        eval => Ok(Some(sampled(eval?, &data, notes)?)),
    }
}

/// Replaces MNLI's matched split, or its original tsv file, by the mismatched one.
fn mismatched_data(data: &DataSection) -> Option<DataSection> {
    let [matched, mismatched] = GlueTask::Mnli.validation_splits() else { return None };
    let is_matched =
        data.task_name.as_deref()?.parse() == Ok(GlueTask::Mnli) && data.test_split_name == *matched;
    let validation_file = match data.eval_file() {
        Some(file) => Some(mismatched_file(Path::new(file))?),
        None => None,
    };
    let test_split_name = (*mismatched).to_owned();
    is_matched.then(|| DataSection { validation_file, test_split_name, ..data.clone() })
}

/// Returns `dev_mismatched.tsv` next to `dev_matched.tsv`; `None` for a file with another name.
fn mismatched_file(matched: &Path) -> Option<String> {
    let [old, new] = GlueTask::Mnli.validation_splits() else { return None };
    let [old, new] = [old, new].map(|split| GlueTask::Mnli.tsv_file(split));
    (matched.file_name()? == old?).then(|| Some(matched.with_file_name(new?).display().to_string()))?
}

/// Fails if the recipe's data does not exist. Called before a model is opened.
pub(crate) fn locate(recipe: &Recipe) -> Result<(), CliError> {
    let data = &recipe.data;
    if data.train_file.is_none() && synthetic(data).is_none() {
        source(data, &data.train_split_name)?;
    }
    let eval_file = data.eval_file().filter(|_| recipe.evaluates());
    data.train_file.iter().chain(eval_file).try_for_each(|file| local_path::require(file))
}

/// Reads the rows that flags of `evaluate` name.
pub(crate) fn read_named(
    data: &DataSection,
    known: &KnownLabels,
    notes: &mut Vec<DataNote>,
) -> Result<EvalExamples, CliError> {
    data.eval_file().map_or(Ok(()), |file| local_path::require(file))?;
    let eval = match (data.eval_file(), synthetic(data)) {
        (Some(file), _) => of_file(file, &data.test_split_name, data, Some(known), notes)?,
        (None, Some(synthetic)) => {
            let dataset = synthetic.generate(data.synthetic_reviews, data.shuffle_seed);
            AllRows { dataset: with_labels(dataset, Some(known))?, name: synthetic.to_string() }
        }
        (None, None) => {
            let eval = of_split(data, Some(known), notes)?;
            let of_file = Path::new(&data.dataset_name).is_file();
            let split = if of_file { String::new() } else { format!(", {}", eval.name) };
            AllRows { name: format!("{}{split}", data.dataset_name), ..eval }
        }
    };
    Ok(sampled(eval, data, notes)?)
}

/// Reads the rows that a run evaluated.
pub(crate) fn read_of_run(
    recipe: &Recipe,
    known: &KnownLabels,
    notes: &mut Vec<DataNote>,
) -> Result<EvalExamples, CliError> {
    let data = &recipe.data;
    if !recipe.evaluates() && data.eval_file().is_none() && holds_out(data) {
        return Err(CliError::usage(
            "the run held out no rows to evaluate on; --dataset or --test_file names others",
        ));
    }
    let (_, eval) = parts(data, true, Some(known), notes)?;
    Ok(sampled(eval.expect("evaluation rows were requested"), data, notes)?)
}

/// Returns the generated data set of this name.
pub(crate) fn synthetic(data: &DataSection) -> Option<Synthetic> {
    data.dataset_name.parse().ok()
}

type Parts = (Dataset, Option<AllRows>);

/// Reads all training rows and, if `evaluates`, all evaluation rows.
fn parts(
    data: &DataSection,
    evaluates: bool,
    known: Option<&KnownLabels>,
    notes: &mut Vec<DataNote>,
) -> Result<Parts, ExamplesError> {
    let train = match (&data.train_file, synthetic(data)) {
        (Some(file), _) => of_file(file, &data.train_split_name, data, known, notes)?.dataset,
        (None, Some(synthetic)) => {
            with_labels(synthetic.generate(data.synthetic_reviews, data.shuffle_seed), known)?
        }
        (None, None) => {
            let split = &data.train_split_name;
            read_path(&source(data, split)?, data, split, known, notes)?
        }
    };
    if !evaluates {
        return Ok((train, None));
    }
    if data.eval_file().is_none() && holds_out(data) {
        return hold_out(&train, data);
    }
    let known = Some(&KnownLabels::of_rows(&train));
    let eval = match data.eval_file() {
        Some(file) => of_file(file, &data.test_split_name, data, known, notes)?,
        None => of_split(data, known, notes)?,
    };
    Ok((train, Some(eval)))
}

/// Reads a file, or a directory of files. A saved `Dataset` is read completely, whatever split it was loaded as.
fn of_file(
    file: &str,
    split: &str,
    data: &DataSection,
    known: Option<&KnownLabels>,
    notes: &mut Vec<DataNote>,
) -> Result<AllRows, ExamplesError> {
    let path = Path::new(file);
    let split = saved_split(path)?.unwrap_or(split.to_owned());
    let dataset = read_path(path, data, &split, known, notes)?;
    Ok(AllRows { dataset, name: file.to_owned() })
}

/// The split that is evaluated if the default one does not exist or has no labels, as in GLUE.
const VALIDATION: &str = "validation";

/// Reads the split to evaluate.
fn of_split(
    data: &DataSection,
    known: Option<&KnownLabels>,
    notes: &mut Vec<DataNote>,
) -> Result<AllRows, ExamplesError> {
    let wanted = &data.test_split_name;
    let of =
        |split: &str, notes: &mut Vec<DataNote>| read_path(&source(data, split)?, data, split, known, notes);
    match of(wanted, notes) {
        Err(error) if error.is_about_a_split() && *wanted == DataSection::default().test_split_name => {
            let dataset = of(VALIDATION, notes).map_err(|_| error)?;
            let name = format!("split {VALIDATION}, because there is no {wanted} with labels");
            Ok(AllRows { dataset, name })
        }
        dataset => Ok(AllRows { dataset: dataset?, name: format!("split {wanted}") }),
    }
}

/// Holds out rows for evaluation.
fn hold_out(all: &Dataset, data: &DataSection) -> Result<Parts, ExamplesError> {
    let held_out = (all.len() as f64 * data.validation_share).round() as usize;
    let split = stratified_split(all, held_out, data.shuffle_seed)?;
    let name = format!("{} rows held out", report::grouped(split.held_out.len()));
    Ok((split.train, Some(AllRows { dataset: split.held_out, name })))
}

/// Returns true if evaluation rows are held out of the training rows.
fn holds_out(data: &DataSection) -> bool {
    data.train_file.is_some() || synthetic(data).is_some() || local_path::has_no_splits(&data.dataset_name)
}

/// Renumbers the labels of generated rows to those of a model.
fn with_labels(mut dataset: Dataset, known: Option<&KnownLabels>) -> Result<Dataset, DataError> {
    let Some(KnownLabels { labels, .. }) = known else { return Ok(dataset) };
    let names = dataset.labels.names().to_vec();
    let id = |row: usize, id: &usize| {
        labels.id(&names[*id]).ok_or_else(|| DataError::UnknownLabel {
            path: "synthetic".into(),
            row,
            label: format!("{:?}", names[*id]),
            known: labels.names().join(", "),
        })
    };
    for (row, example) in (1..).zip(&mut dataset.examples) {
        match &mut example.target {
            Target::Label(label) => *label = id(row, label)?,
            Target::Labels(ids) => {
                *ids = ids.iter().map(|label| id(row, label)).collect::<Result<_, _>>()?;
                ids.sort_unstable();
            }
            Target::Values(_) => {}
        }
    }
    Ok(Dataset { labels: labels.clone(), ..dataset })
}

/// Returns a local path, or downloads a split of a data set from the hub.
fn source(data: &DataSection, split: &str) -> Result<PathBuf, ExamplesError> {
    let name = &data.dataset_name;
    if !local_path::is_missing(name) {
        return Ok(name.into());
    }
    if let Some(message) = local_path::missing(name) {
        return Err(CliError::rejected(message).into());
    }
    hub::dataset(name, data.dataset_config_name.as_deref(), &[split]).map_err(|error| match error {
        HubError::SplitNotFound { .. } | HubError::SplitNotCached { .. } => {
            ExamplesError::NoSplit(error.into())
        }
        error => local_path::with_advice(error, name).into(),
    })
}

fn read_path(
    path: &Path,
    data: &DataSection,
    split: &str,
    known: Option<&KnownLabels>,
    notes: &mut Vec<DataNote>,
) -> Result<Dataset, ExamplesError> {
    let options = data.read_options(known.map(|known| known.problem_type))?;
    let LoadedDataset { dataset, notes: more } =
        read(path, split, &options, known.map(|known| &known.labels))?;
    tracing::debug!(path = %path.display(), split, rows = dataset.len(), "read");
    let new = more.into_iter().filter(|note| !notes.contains(note)).collect::<Vec<_>>(); // two splits of one directory
    notes.extend(new);
    Ok(dataset)
}

/// Selects `max_eval_samples` rows.
fn sampled(
    AllRows { dataset, name }: AllRows,
    data: &DataSection,
    notes: &mut Vec<DataNote>,
) -> Result<EvalExamples, ExamplesError> {
    let fingerprint = eval_fingerprint::of_rows(&dataset);
    let selected = select(&dataset, data.max_eval_samples, data);
    notes.extend(check_evaluation_rows(&selected)?);
    let name = if selected.len() < dataset.len() {
        format!("{} of {} rows of {name}: max_eval_samples", selected.len(), dataset.len())
    } else {
        name
    };
    Ok(EvalExamples { dataset: selected, name, fingerprint })
}

fn select(dataset: &Dataset, count: Option<usize>, data: &DataSection) -> Dataset {
    let mut selected = match count {
        Some(count) => dataset.sample(count, data.shuffle_seed),
        None => dataset.clone(),
    };
    if data.clean {
        for example in &mut selected.examples {
            example.text = clean(&example.text);
            example.text_pair = example.text_pair.take().map(|text| clean(&text));
        }
    }
    selected
}
