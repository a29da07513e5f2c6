//! The output directory of a run. It never replaces an input, or the current directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use embert_data::would_read;
use embert_text::Truncation;
use embert_train::{
    Checkpoint, Evaluation, FILES_LIKE_DATA, Fitted, ModelCard, OnExisting, RunDirectory, RunSettings,
};

use crate::error::CliError;
use crate::local_path;
use crate::model_source::ModelSource;
use crate::recipe::Recipe;

fn on_existing(recipe: &Recipe) -> OnExisting {
    if recipe.output.overwrite_output_dir { OnExisting::Replace } else { OnExisting::Refuse }
}

/// Fails if a new run must not replace the output directory. Called before anything is read.
pub(crate) fn check(recipe: &Recipe) -> Result<(), CliError> {
    let output_dir = Path::new(&recipe.output.output_dir);
    require_apart(recipe)?;
    require_outside_data(recipe)?;
    require_writable(output_dir)?;
    Ok(RunDirectory::check(output_dir, on_existing(recipe))?)
}

/// Opens the run directory: a new one, or that of the checkpoint's run.
pub(crate) fn open(
    recipe: &Recipe,
    source: &ModelSource,
    truncation: Truncation,
    checkpoint: Option<&Checkpoint>,
) -> Result<RunDirectory, CliError> {
    let output_dir = Path::new(&recipe.output.output_dir);
    let tokenizer = &source.tokenizer.clone().with_truncation(truncation);
    let (config, recipe_text) = (&recipe.train, &recipe.to_toml());
    let settings = RunSettings { config, model_config: &source.config, tokenizer, recipe: recipe_text };
    let directory = match checkpoint {
        Some(from) => RunDirectory::resume(from, output_dir, on_existing(recipe), settings)?,
        None => RunDirectory::create(output_dir, on_existing(recipe), settings)?,
    };
    let is_adapter = source.lora().is_some();
    Ok(if is_adapter { directory.with_adapter(&recipe.model.model_name_or_path) } else { directory })
}

/// Writes the results and gives the run directory its final name. Returns its path.
pub(crate) fn finish(
    directory: RunDirectory,
    fitted: &Fitted,
    evaluation: Option<&Evaluation>,
    card: &ModelCard,
) -> Result<PathBuf, CliError> {
    let last_checkpoint = directory.last_checkpoint().map(Path::to_owned);
    directory.finish(&fitted.model, &fitted.report, evaluation, card).map_err(|error| {
        let hint = last_checkpoint.map_or(String::new(), |path| {
            format!("; {} is complete: --resume_from_checkpoint last resumes from it", path.display())
        });
        CliError { message: format!("{error}{hint}"), ..error.into() }
    })
}

/// Returns the error of a run that a signal interrupted after its training.
pub(crate) fn interrupted_evaluation(signal: usize) -> CliError {
    CliError::interrupted("interrupted in the evaluation of the trained model", signal)
}

/// Keeps a trained model whose evaluation has failed. If no checkpoint has it, finishes the run without an evaluation.
/// Returns the error with the place of the model.
pub(crate) fn keep_unevaluated(
    directory: RunDirectory,
    fitted: &Fitted,
    card: &ModelCard,
    error: CliError,
) -> CliError {
    let place = match directory.last_checkpoint() {
        Some(path) if directory.is_saved(fitted.report.global_step) => {
            format!("the checkpoint is {}: --resume_from_checkpoint last resumes from it", path.display())
        }
        _ => match finish(directory, fitted, None, card) {
            Ok(path) => format!("the model is saved to {} without an evaluation", path.display()),
            Err(unsaved) => return unsaved,
        },
    };
    CliError { message: format!("{}; {place}", error.message), ..error }
}

/// Removes the directory of a run without steps. Returns the error with the path of the last checkpoint.
pub(crate) fn abandon(directory: RunDirectory, error: CliError) -> CliError {
    let error = match directory.last_checkpoint() {
        Some(path) => {
            let message = format!("{}; the last checkpoint is {}", error.message, path.display());
            CliError { message, ..error }
        }
        None => error,
    };
    directory.discard_unstarted().map_or_else(CliError::from, |()| error)
}

/// Returns the error of a run that a signal interrupted after `step`. Removes the directory of a run without steps.
pub(crate) fn interrupted(directory: RunDirectory, step: usize, signal: usize) -> CliError {
    let message = match directory.last_checkpoint() {
        Some(path) => format!(
            "interrupted after step {step}; the checkpoint is {}: --resume_from_checkpoint last resumes from it",
            path.display()
        ),
        None => "interrupted before the first step".to_owned(),
    };
    directory.discard_unstarted().map_or_else(CliError::from, |()| CliError::interrupted(message, signal))
}

/// Fails if the output directory is or holds the current directory or an input.
fn require_apart(recipe: &Recipe) -> Result<(), CliError> {
    let name = &recipe.output.output_dir;
    let Ok(output_dir) = fs::canonicalize(name) else { return Ok(()) }; // it does not exist yet
    let refused = |what: &str| {
        CliError::usage(format!(
            "--output_dir {name} {what}, which a run there would replace; name another directory"
        ))
    };
    if env::current_dir().is_ok_and(|current| current.starts_with(&output_dir)) {
        return Err(refused("is or holds the current directory"));
    }
    match inputs(recipe).into_iter().find(|input| is_in(input, &output_dir)) {
        Some(input) => Err(refused(&format!("is or holds the input {}", input.display()))),
        None => Ok(()),
    }
}

/// Fails if a later command, such as one that resumes the run, would read the files of the run as data.
fn require_outside_data(recipe: &Recipe) -> Result<(), CliError> {
    let name = &recipe.output.output_dir;
    let files = files_of_run(Path::new(name));
    let reads_run = |path: &&String| would_read(Path::new(path), &files).unwrap_or(false); // the error of reading it
    match data_inputs(recipe).find(reads_run) {
        Some(data) => Err(CliError::usage(format!(
            "--output_dir {name} is in the data {data}, so a later command would read the files of the run as data; \
             name another directory"
        ))),
        None => Ok(()),
    }
}

/// Returns paths of files of a run, during the run and after it.
fn files_of_run(output_dir: &Path) -> Vec<PathBuf> {
    let output_dir = local_path::resolved(output_dir);
    let mut partial = output_dir.clone().into_os_string();
    partial.push(".partial");
    let folders = [output_dir, partial.into()].into_iter();
    let folders = folders.flat_map(|folder| [folder.join("checkpoint-1"), folder]);
    folders.flat_map(|folder| FILES_LIKE_DATA.map(|name| folder.join(name))).collect()
}

/// Returns the names of the data that the run reads. Names on the hub are included; they are not paths.
fn data_inputs(recipe: &Recipe) -> impl Iterator<Item = &String> {
    let data = &recipe.data;
    let dataset = Some(&data.dataset_name).filter(|_| data.train_file.is_none());
    let files = [&data.train_file, &data.validation_file, &data.test_file].into_iter().flatten();
    files.chain(dataset)
}

/// Fails if no file can be created in the nearest existing parent directory.
fn require_writable(output_dir: &Path) -> Result<(), CliError> {
    let parents = output_dir.ancestors().skip(1);
    let parents = parents.map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
    let Some(directory) = parents.into_iter().find(|parent| parent.is_dir()) else { return Ok(()) };
    let probe = directory.join(format!(".embert-{}", std::process::id()));
    let written = fs::File::create_new(&probe).and_then(|_| fs::remove_file(&probe));
    written.map_err(|error| {
        CliError::usage(format!("--output_dir {}: cannot be written: {error}", output_dir.display()))
    })
}

fn is_in(input: &Path, directory: &Path) -> bool {
    fs::canonicalize(input).is_ok_and(|input| input.starts_with(directory))
}

/// Returns the files and directories that the run may read. Names on the hub are included; they are not paths.
fn inputs(recipe: &Recipe) -> Vec<PathBuf> {
    let (model, data) = (&recipe.model, &recipe.data);
    let files = [&model.adapter, &data.train_file, &data.validation_file, &data.test_file];
    let files = files.into_iter().flatten().chain([&data.dataset_name]);
    let base = Some(&model.model_name_or_path).filter(|_| model.scratch.is_none());
    files.chain(base).map(PathBuf::from).collect()
}
