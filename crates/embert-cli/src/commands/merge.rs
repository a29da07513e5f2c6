//! `embert merge`: an adapter folded into its base model, W + s·A·B, as a directory that transformers opens.

use std::fs;
use std::path::Path;

use clap::ArgMatches;
use embert_model::{merge_adapter, save_pretrained};

use crate::device;
use crate::error::CliError;
use crate::model_source::{self, ModelSource};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let device = device::open(device::DEFAULT)?.device;
    let directory =
        model_source::directory(matches.get_one::<String>("model").expect("--model is required"))?;
    let output = Path::new(matches.get_one::<String>("output").expect("--output is required"));
    let source = ModelSource::of_directory(directory.clone(), matches.get_one("base"))?;
    if source.lora().is_none() {
        return Err(CliError::failed(format!("{}: there is no adapter here to merge", directory.display())));
    }
    make_room(output)?;
    let model = source.load_complete(&device)?;
    save_pretrained(&merge_adapter(model), &source.config, output)?;
    let config = &source.config;
    source.tokenizer.save(output, config.tokenizer_class(), config.max_position_embeddings())?;
    println!("merged into {}", output.display());
    Ok(())
}

/// A directory without files in it.
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
