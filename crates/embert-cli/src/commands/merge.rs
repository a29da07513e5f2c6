//! `embert merge`: merges an adapter into its base model, W + s·A·B. Transformers opens the result.
//!
//! The merged model gets a `recipe.toml` with the keys that control how texts are read.

use std::fs;
use std::path::Path;

use clap::ArgMatches;
use embert_inference::ModelDirectory;
use embert_model::{merge_adapter, save_pretrained};
use embert_train::write_model_directory;

use crate::error::CliError;
use crate::{device, model_source, output, recipe};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let directory =
        model_source::directory(matches.get_one::<String>("model").expect("--model is required"))?;
    let merged = Path::new(matches.get_one::<String>("output").expect("--output is required"));
    let source = model_source::open(&directory, matches.get_one("base"))?;
    if source.adapter.is_none() {
        return Err(CliError::failed(format!(
            "{}: this directory has no adapter to merge",
            directory.display()
        )));
    }
    write_model_directory(merged, |target| write(&source, &directory, target))?;
    output::print(format_args!("merged into {}", merged.display()));
    Ok(())
}

/// Merges the adapter of `directory` and writes the model, its tokenizer and its recipe to `target`.
fn write(source: &ModelDirectory, directory: &Path, target: &Path) -> Result<(), CliError> {
    let config = &source.config;
    let model = source.load(&device::open(device::DEFAULT)?.device)?;
    save_pretrained(&merge_adapter(model), config, target)?;
    source.tokenizer.save(target, config.architecture.tokenizer_class, config.encoder.max_length())?;
    let Some(reading) = recipe::reading_of(directory)? else { return Ok(()) };
    let path = target.join("recipe.toml");
    fs::write(&path, reading).map_err(|error| CliError::failed(format!("{}: {error}", path.display())))
}
