//! Selection of the files of a dataset: `{split}-*.parquet` in one folder.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::error::HubError;
use crate::progress::OnProgress;
use crate::snapshot::Snapshot;

/// Downloads the parquet files of the splits and returns their folder.
pub(crate) fn download(
    snapshot: &Snapshot,
    config: Option<&str>,
    splits: &[&str],
    on_progress: &mut OnProgress<'_>,
) -> Result<PathBuf, HubError> {
    let folder = folder_of(snapshot, config, splits)?;
    for split in splits {
        let files: Vec<&str> = files(snapshot, &folder, split).collect();
        if let Some(missing) = missing_shards(&files) {
            return Err(snapshot.missing(&missing));
        }
        for file in files {
            snapshot.file(file, on_progress)?;
        }
    }
    snapshot.save_revision()?;
    Ok(snapshot.path().join(folder))
}

/// Returns the folder that has files of all splits: `config`, or else any folder; `""` is the root of the repository.
fn folder_of(snapshot: &Snapshot, config: Option<&str>, splits: &[&str]) -> Result<String, HubError> {
    let all = folders(snapshot);
    let folders: BTreeSet<&str> =
        all.iter().copied().filter(|folder| config.is_none_or(|config| config == *folder)).collect();
    if let Some(config) = config.filter(|_| folders.is_empty()) {
        return Err(no_config(snapshot, config, &all));
    }
    let has = |folder: &str, split: &str| files(snapshot, folder, split).next().is_some();
    if let Some(split) = splits.iter().find(|split| !folders.iter().any(|folder| has(folder, split))) {
        return Err(no_split(snapshot, split));
    }
    let complete: Vec<&str> =
        folders.iter().copied().filter(|folder| splits.iter().all(|split| has(folder, split))).collect();
    match complete.as_slice() {
        [folder] => Ok((*folder).to_owned()),
        several => {
            let several = if several.is_empty() { folders.into_iter().collect() } else { several.to_vec() };
            let shown: Vec<String> = several.into_iter().map(str::to_owned).collect();
            Err(HubError::AmbiguousSplits { repo: snapshot.repo(), folders: listed(&shown) })
        }
    }
}

/// Returns the folders of the root that have parquet files, and `""` if the root has some.
fn folders(snapshot: &Snapshot) -> BTreeSet<&str> {
    let parquet = snapshot.names.iter().filter(|name| name.ends_with(".parquet"));
    let folders = parquet.map(|name| name.rsplit_once('/').map_or("", |(folder, _)| folder));
    folders.filter(|folder| !folder.contains('/')).collect()
}

/// Returns the files of a split in a folder, sorted by name.
fn files<'a>(snapshot: &'a Snapshot, folder: &str, split: &str) -> impl Iterator<Item = &'a str> {
    let start = if folder.is_empty() { format!("{split}-") } else { format!("{folder}/{split}-") };
    let is_of_split = move |name: &&str| {
        name.strip_prefix(&start).is_some_and(|rest| rest.ends_with(".parquet") && !rest.contains('/'))
    };
    let mut names: Vec<&str> = snapshot.names.iter().map(String::as_str).filter(is_of_split).collect();
    names.sort_unstable();
    names.into_iter()
}

/// Returns a description of missing shards, if names such as `train-00000-of-00003.parquet` announce more
/// files.
fn missing_shards(files: &[&str]) -> Option<String> {
    let (start, count) = files.first()?.strip_suffix(".parquet")?.rsplit_once("-of-")?;
    let expected: usize = count.parse().ok()?;
    let (start, _) = start.rsplit_once('-')?;
    (files.len() < expected)
        .then(|| format!("{start}-*-of-{count}.parquet (all but {} of {expected} files)", files.len()))
}

fn no_config(snapshot: &Snapshot, config: &str, folders: &BTreeSet<&str>) -> HubError {
    if !snapshot.is_from_hub() {
        return snapshot.missing(&format!("{config}/*.parquet"));
    }
    let folders: Vec<String> =
        folders.iter().filter(|folder| !folder.is_empty()).map(|&folder| folder.to_owned()).collect();
    let found = if folders.is_empty() { "it has no configurations".to_owned() } else { listed(&folders) };
    HubError::ConfigNotFound { repo: snapshot.repo(), config: config.to_owned(), found }
}

fn no_split(snapshot: &Snapshot, split: &str) -> HubError {
    let parquet: Vec<String> =
        snapshot.names.iter().filter(|name| name.ends_with(".parquet")).cloned().collect();
    if !snapshot.is_from_hub() {
        let missing = snapshot.missing(&format!("{split}-*.parquet"));
        return if parquet.is_empty() { missing } else { missing.of_split() };
    }
    let found = if parquet.is_empty() {
        format!("it has no parquet files: {}", without_parquet(&snapshot.names))
    } else {
        format!("it has {}", listed(&parquet))
    };
    HubError::SplitNotFound { repo: snapshot.repo(), split: split.to_owned(), found }
}

/// Returns advice for a repository without parquet files.
fn without_parquet(names: &[String]) -> String {
    let is_table =
        |name: &&String| [".csv", ".tsv", ".jsonl"].iter().any(|extension| name.ends_with(extension));
    let tables: Vec<String> = names.iter().filter(is_table).cloned().collect();
    if tables.is_empty() {
        "download the files, convert the rows to .csv, .tsv, .jsonl or .parquet, and give the path of that file".to_owned()
    } else {
        format!("download one of its tables and give the path of that file ({})", listed(&tables))
    }
}

/// Joins the first names of a list.
fn listed(names: &[String]) -> String {
    let more = if names.len() > 12 { ", ..." } else { "" };
    format!("{}{more}", names[..names.len().min(12)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_shards_are_detected_by_their_names() {
        assert_eq!(missing_shards(&["train-00000-of-00001.parquet"]), None);
        assert_eq!(missing_shards(&["train-part.parquet"]), None);
        let missing = missing_shards(&["x/train-00001-of-00003.parquet"]).unwrap();
        assert_eq!(missing, "x/train-*-of-00003.parquet (all but 1 of 3 files)");
    }
}
