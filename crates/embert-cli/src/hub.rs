//! The hub, as the environment says, with a progress bar for each file.

use std::path::PathBuf;

use embert_data::{HubError, HubProgress, HubSettings, fetch_dataset, fetch_model};

use crate::progress::Bar;

fn settings() -> HubSettings {
    HubSettings::from_variables(|name| std::env::var(name).ok())
}

/// The folder of a model of the hub, downloaded if it is not in the cache.
pub(crate) fn model(id: &str) -> Result<PathBuf, HubError> {
    with_bars(|on_progress| fetch_model(&settings(), id, on_progress))
}

/// The folder of a data set of the hub.
pub(crate) fn dataset(id: &str, splits: &[&str]) -> Result<PathBuf, HubError> {
    with_bars(|on_progress| fetch_dataset(&settings(), id, splits, on_progress))
}

fn with_bars(
    fetch: impl FnOnce(&mut dyn FnMut(HubProgress<'_>)) -> Result<PathBuf, HubError>,
) -> Result<PathBuf, HubError> {
    let mut bar: Option<(String, Bar)> = None;
    fetch(&mut |progress| {
        if bar.as_ref().is_none_or(|(file, _)| file != progress.file) {
            bar = Some((
                progress.file.to_owned(),
                Bar::bytes(&format!("Downloading {}", progress.file), progress.bytes_total),
            ));
        }
        if let Some((_, bar)) = &bar {
            bar.set(progress.bytes_done);
        }
    })
}
