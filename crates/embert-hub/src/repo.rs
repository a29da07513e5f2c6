//! Which repository is meant: a model or a data set, and its name on the hub.

use std::fmt;

use crate::error::HubError;

/// What a repository holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Model,
    Dataset,
}

/// A repository whose name is known to be safe in a URL and in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repo {
    pub(crate) kind: Kind,
    pub(crate) id: String,
}

/// Names from before repositories had owners. The hub redirects them; writing the whole name keeps
/// one cache folder for both spellings.
const MODELS: [(&str, &str); 2] = [
    ("bert-base-uncased", "google-bert/bert-base-uncased"),
    ("distilbert-base-uncased", "distilbert/distilbert-base-uncased"),
];
const DATASETS: [(&str, &str); 1] = [("imdb", "stanfordnlp/imdb")];

impl Repo {
    /// The model repository `id`, short names written out.
    pub(crate) fn model(id: &str) -> Result<Self, HubError> {
        Self::new(Kind::Model, id, &MODELS)
    }

    /// The data set repository `id`, short names written out.
    pub(crate) fn dataset(id: &str) -> Result<Self, HubError> {
        Self::new(Kind::Dataset, id, &DATASETS)
    }

    fn new(kind: Kind, id: &str, short_names: &[(&str, &str)]) -> Result<Self, HubError> {
        if !is_id(id) {
            return Err(HubError::NotAnId { id: id.to_owned() });
        }
        let known = short_names.iter().find(|(short, _)| *short == id);
        let id = known.map_or(id, |(_, full)| full).to_owned();
        Ok(Self { kind, id })
    }

    /// The repository's folder in the cache, such as `models--google-bert--bert-base-uncased`.
    pub(crate) fn folder(&self) -> String {
        let kind = match self.kind {
            Kind::Model => "models",
            Kind::Dataset => "datasets",
        };
        format!("{kind}--{}", self.id.replace('/', "--"))
    }

    /// The path that lists the files of a revision.
    pub(crate) fn listing_path(&self, revision: &str) -> String {
        match self.kind {
            Kind::Model => format!("api/models/{}/revision/{revision}", self.id),
            Kind::Dataset => format!("api/datasets/{}/revision/{revision}", self.id),
        }
    }

    /// The path of the repository's page.
    pub(crate) fn page_path(&self) -> String {
        match self.kind {
            Kind::Model => self.id.clone(),
            Kind::Dataset => format!("datasets/{}", self.id),
        }
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Model => write!(f, "model {}", self.id),
            Kind::Dataset => write!(f, "data set {}", self.id),
        }
    }
}

/// The hub's rule: one or two parts of letters, digits, `-`, `_` and `.`, none of them dots alone.
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
    fn short_names_are_written_out() {
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
    fn paths_are_not_ids() {
        for id in ["", "/", "a/", "./model", "../model", "a/..", "a/b/c", "C:\\model", "a b"] {
            let error = Repo::model(id).unwrap_err().to_string();
            assert!(error.contains("owner/name"), "{id}: {error}");
        }
    }
}
