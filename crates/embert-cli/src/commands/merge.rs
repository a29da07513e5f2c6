//! `embert merge`: merges an adapter into its base model, W + s·A·B. Transformers opens the result.
//!
//! The merged model gets a `recipe.toml` with the keys that control how texts are read.

use std::fs;
use std::path::Path;

use clap::ArgMatches;
use embert_model::{merge_adapter, save_pretrained};

use crate::error::CliError;
use crate::{device, model_source, output, recipe};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let device = device::open(device::DEFAULT)?.device;
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
    make_room(merged)?;
    let model = source.load(&device)?;
    save_pretrained(&merge_adapter(model), &source.config, merged)?;
    let config = &source.config;
    source.tokenizer.save(merged, config.architecture.tokenizer_class, config.encoder.max_length())?;
    if let Some(reading) = recipe::reading_of(&directory)? {
        let path = merged.join("recipe.toml");
        fs::write(&path, reading)
            .map_err(|error| CliError::failed(format!("{}: {error}", path.display())))?;
    }
    output::print(format_args!("merged into {}", merged.display()));
    Ok(())
}

/// Creates the directory. Fails if it has files.
fn make_room(output: &Path) -> Result<(), CliError> {
    let failed = |error| CliError::failed(format!("{}: {error}", output.display()));
    fs::create_dir_all(output).map_err(failed)?;
    match fs::read_dir(output).map_err(failed)?.next() {
        None => Ok(()),
        Some(_) => {
            Err(CliError::usage(format!("{} is not empty; choose another --output", output.display())))
        }
    }
}
