//! The hub with the settings of the environment, and a progress bar for each file.

use std::path::PathBuf;

use embert_hub::{Hub, HubError, HubProgress, HubSettings};

use crate::progress::Bar;

/// Opens the hub with the settings of the environment.
pub(crate) fn open() -> Hub {
    Hub::new(HubSettings::from_variables(|name| std::env::var(name).ok()))
}

/// Downloads a model that is not in the cache. Returns its folder.
pub(crate) fn model(id: &str) -> Result<PathBuf, HubError> {
    open().model(id, "main", &mut bars())
}

/// Downloads a data set that is not in the cache. Returns its folder.
pub(crate) fn dataset(id: &str, config: Option<&str>, splits: &[&str]) -> Result<PathBuf, HubError> {
    open().dataset(id, "main", config, splits, &mut bars())
}

fn bars() -> impl FnMut(HubProgress<'_>) + Send {
    let mut bar: Option<(String, Bar)> = None;
    move |progress| {
        if bar.as_ref().is_none_or(|(file, _)| file != progress.file) {
            let new = Bar::bytes(&format!("Downloading {}", progress.file), progress.bytes_total);
            bar = Some((progress.file.to_owned(), new));
        }
        if let Some((_, bar)) = &bar {
            bar.set(progress.bytes_done);
        }
    }
}
