//! `embert push`: uploads a model or an adapter, its tokenizer and its model card to the hub.
//!
//! The model gets a `recipe.toml` with the keys that control how texts are read. The other keys name files of the run.

use std::path::Path;

use clap::ArgMatches;
use embert_hub::Upload;
use embert_train::published_files;

use crate::error::CliError;
use crate::{hub, local_path, output, recipe};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let text = |name: &str| matches.get_one::<String>(name).expect("required, or with a default").as_str();
    let folder = Path::new(text("model"));
    if !folder.is_dir() {
        return Err(CliError::usage(local_path::no_directory(text("model"))));
    }
    let files = published_files(folder);
    if !files.iter().any(|name| name.ends_with(".safetensors")) {
        return Err(CliError::usage(format!("{}: this directory has no model to upload", folder.display())));
    }
    let reading = recipe::reading_of(folder)?;
    let contents = reading.iter().map(|text| ("recipe.toml", text.as_str())).collect::<Vec<_>>();
    let upload = Upload {
        repo: text("repo"),
        folder,
        files: &files,
        contents: &contents,
        private: *matches.get_one("private").expect("it has a default"),
        revision: text("revision"),
        commit_message: text("commit_message"),
    };
    let page = hub::open().upload(&upload).map_err(CliError::failed)?;
    let names = files.iter().copied().chain(contents.iter().map(|(name, _)| *name));
    output::print(format_args!("uploaded {}", names.collect::<Vec<_>>().join(", ")));
    output::print(page);
    Ok(())
}
