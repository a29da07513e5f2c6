//! Where a run may leave its files: never in place of what it reads, or of the folder it was started in.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use embert_train::{OnExisting, RunDirectory};

use crate::error::CliError;
use crate::recipe::Recipe;

/// Returns whether a run that is there may be replaced.
pub(crate) fn on_existing(recipe: &Recipe) -> OnExisting {
    match recipe.output.overwrite_output_dir {
        true => OnExisting::Replace,
        false => OnExisting::Refuse,
    }
}

/// Refuses an output directory that a new run must not replace, before anything is read.
pub(crate) fn check(recipe: &Recipe) -> Result<(), CliError> {
    let output_dir = Path::new(&recipe.output.output_dir);
    require_apart(recipe)?;
    require_writable(output_dir)?;
    Ok(RunDirectory::check(output_dir, on_existing(recipe))?)
}

/// Refuses an output directory that is, or holds, the current directory or an input.
pub(crate) fn require_apart(recipe: &Recipe) -> Result<(), CliError> {
    let name = &recipe.output.output_dir;
    let Ok(output_dir) = fs::canonicalize(name) else { return Ok(()) }; // it is not there yet
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

/// Creates and removes a file in the nearest directory that exists.
fn require_writable(output_dir: &Path) -> Result<(), CliError> {
    let parents = output_dir.ancestors().skip(1).map(|parent| match parent.as_os_str().is_empty() {
        true => Path::new("."),
        false => parent,
    });
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

/// The files and directories that the run reads; names of the hub are no paths that exist.
fn inputs(recipe: &Recipe) -> Vec<PathBuf> {
    let (model, data) = (&recipe.model, &recipe.data);
    let files = [&model.adapter, &data.train_file, &data.validation_file, &data.test_file];
    let files = files.into_iter().flatten().chain([&data.dataset_name]);
    let base = Some(&model.model_name_or_path).filter(|_| model.scratch.is_none());
    files.chain(base).map(PathBuf::from).collect()
}
