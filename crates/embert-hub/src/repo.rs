//! Repository ids of models and datasets.

use std::fmt;

use crate::error::HubError;

/// Type of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RepoKind {
    Model,
    Dataset,
}

/// A repository with a validated id, which is safe in URLs and paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repo {
    pub(crate) kind: RepoKind,
    pub(crate) id: String,
    /// The short id that was replaced. `huggingface_hub` caches files in its folder.
    short: Option<String>,
}

/// Old ids without an owner, and their current ids. The Hub redirects old ids; replacing them here avoids two
/// cache folders for one repository.
const MODELS: [(&str, &str); 5] = [
    ("bert-base-uncased", "google-bert/bert-base-uncased"),
    ("camembert-base", "almanach/camembert-base"),
    ("distilbert-base-uncased", "distilbert/distilbert-base-uncased"),
    ("roberta-base", "FacebookAI/roberta-base"),
    ("xlm-roberta-base", "FacebookAI/xlm-roberta-base"),
];
const DATASETS: [(&str, &str); 1] = [("imdb", "stanfordnlp/imdb")];

impl Repo {
    /// Returns the model repository `id`. Replaces short ids.
    pub(crate) fn model(id: &str) -> Result<Self, HubError> {
        Self::new(RepoKind::Model, id, &MODELS)
    }

    /// Returns the dataset repository `id`. Replaces short ids.
    pub(crate) fn dataset(id: &str) -> Result<Self, HubError> {
        Self::new(RepoKind::Dataset, id, &DATASETS)
    }

    fn new(kind: RepoKind, id: &str, short_names: &[(&str, &str)]) -> Result<Self, HubError> {
        if !is_id(id) {
            return Err(HubError::InvalidRepoId { id: id.to_owned() });
        }
        let (short, id) = match short_names.iter().find(|(short, _)| *short == id) {
            Some((short, full)) => (Some((*short).to_owned()), (*full).to_owned()),
            None => (None, id.to_owned()),
        };
        Ok(Self { kind, id, short })
    }

    /// Returns the name of the cache folder, such as `models--google-bert--bert-base-uncased`.
    pub(crate) fn folder(&self) -> String {
        self.folder_of(&self.id)
    }

    /// Returns the name of the cache folder of a short id, such as `models--bert-base-uncased`.
    pub(crate) fn short_folder(&self) -> Option<String> {
        self.short.as_deref().map(|short| self.folder_of(short))
    }

    fn folder_of(&self, id: &str) -> String {
        let kind = match self.kind {
            RepoKind::Model => "models",
            RepoKind::Dataset => "datasets",
        };
        format!("{kind}--{}", id.replace('/', "--"))
    }

    /// Returns the API path of the file list of a revision.
    pub(crate) fn listing_path(&self, revision: &str) -> String {
        match self.kind {
            RepoKind::Model => format!("api/models/{}/revision/{revision}", self.id),
            RepoKind::Dataset => format!("api/datasets/{}/revision/{revision}", self.id),
        }
    }

    /// Returns the path of the repository's page.
    pub(crate) fn page_path(&self) -> String {
        match self.kind {
            RepoKind::Model => self.id.clone(),
            RepoKind::Dataset => format!("datasets/{}", self.id),
        }
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RepoKind::Model => write!(f, "model {}", self.id),
            RepoKind::Dataset => write!(f, "dataset {}", self.id),
        }
    }
}

/// Returns true for a valid id: one or two parts of letters, digits, `-`, `_` and `.` that do not begin with
/// `-` or `.`.
fn is_id(id: &str) -> bool {
    let parts: Vec<&str> = id.split('/').collect();
    parts.len() <= 2
        && parts.iter().all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_are_replaced() {
        let folder = |repo: Result<Repo, HubError>| repo.unwrap().folder();
        assert_eq!(folder(Repo::model("bert-base-uncased")), "models--google-bert--bert-base-uncased");
        assert_eq!(
            folder(Repo::model("distilbert-base-uncased")),
            "models--distilbert--distilbert-base-uncased"
        );
        assert_eq!(folder(Repo::dataset("imdb")), "datasets--stanfordnlp--imdb");
        assert_eq!(folder(Repo::model("gpt2")), "models--gpt2");
        assert_eq!(folder(Repo::model("imdb")), "models--imdb");
    }

    #[test]
    fn the_folder_of_a_short_id_is_known() {
        let folder = |repo: Result<Repo, HubError>| repo.unwrap().short_folder();
        assert_eq!(folder(Repo::model("bert-base-uncased")).as_deref(), Some("models--bert-base-uncased"));
        assert_eq!(folder(Repo::dataset("imdb")).as_deref(), Some("datasets--imdb"));
        for id in ["google-bert/bert-base-uncased", "gpt2", "imdb"] {
            assert_eq!(folder(Repo::model(id)), None, "{id}");
        }
    }

    #[test]
    fn paths_are_not_ids() {
        for id in ["", "/", "a/", "./model", "../model", "a/..", "a/b/c", "C:\\model", "a b"] {
            let error = Repo::model(id).unwrap_err().to_string();
            assert!(error.contains("owner/name"), "{id}: {error}");
        }
    }
}
