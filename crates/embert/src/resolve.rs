//! Resolution of a model name to a directory.

use std::path::{Path, PathBuf};

use embert_inference::OpenOptions;
use embert_model::Adapter;

use crate::Error;

/// Returns the directory of a model. Downloads it from the Hugging Face Hub if `name` is not a directory.
pub(crate) fn model_directory(name: &str) -> Result<PathBuf, Error> {
    if Path::new(name).is_dir() { Ok(name.into()) } else { download(name) }
}

/// Downloads a model into the cache of `huggingface_hub`. Address, cache and token come from its environment
/// variables.
#[cfg(feature = "hub")]
fn download(id: &str) -> Result<PathBuf, Error> {
    use embert_hub::{Hub, HubSettings};
    let settings = HubSettings::from_variables(|name| std::env::var(name).ok());
    Ok(Hub::new(settings).model(id, "main", &mut |_| ())?)
}

#[cfg(not(feature = "hub"))]
fn download(id: &str) -> Result<PathBuf, Error> {
    Err(Error::NotADirectory { name: id.to_owned() })
}

/// Returns the directory of a model. If it contains an adapter, the options name the directory of its base
/// model.
pub(crate) fn with_base_model(name: &str, options: &OpenOptions) -> Result<(PathBuf, OpenOptions), Error> {
    let directory = model_directory(name)?;
    let mut options = options.clone();
    if options.base.is_none() && Adapter::is_in(&directory) {
        let base =
            Adapter::open(&directory)?.base_model_name_or_path.map(|base| model_directory(&base)).transpose();
        options.base =
            base.map_err(|error| Error::Base { adapter: directory.clone(), source: error.into() })?;
    }
    Ok((directory, options))
}
