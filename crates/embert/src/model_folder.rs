//! The folder that the name of a model means.

use std::path::{Path, PathBuf};

use embert_inference::OpenOptions;
use embert_model::Adapter;

use crate::Error;

/// Returns the folder of a model: a directory as it is, or a download of the hub.
pub(crate) fn find(name: &str) -> Result<PathBuf, Error> {
    if Path::new(name).is_dir() { Ok(name.into()) } else { download(name) }
}

/// Downloads a model into the hub's cache. Address, cache and token are those of the environment, as for `huggingface_hub`.
#[cfg(feature = "hub")]
fn download(id: &str) -> Result<PathBuf, Error> {
    use embert_hub::{Hub, HubSettings};
    let settings = HubSettings::from_variables(|name| std::env::var(name).ok());
    Ok(Hub::new(settings).model(id, "main", &mut |_| ())?)
}

#[cfg(not(feature = "hub"))]
fn download(id: &str) -> Result<PathBuf, Error> {
    Err(Error::NoDirectory { name: id.to_owned() })
}

/// Returns the folder of a model, and options that name the folder of its base model if it is an adapter.
pub(crate) fn find_with_base(name: &str, options: &OpenOptions) -> Result<(PathBuf, OpenOptions), Error> {
    let folder = find(name)?;
    let mut options = options.clone();
    if options.base.is_none() && Adapter::is_in(&folder) {
        let base = Adapter::open(&folder)?.base_model_name_or_path.map(|base| find(&base)).transpose();
        options.base = base.map_err(|error| Error::Base { adapter: folder.clone(), source: error.into() })?;
    }
    Ok((folder, options))
}
