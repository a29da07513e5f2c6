//! Uploads files of a folder to a model repository, in one commit.

use std::fs::File;
use std::path::Path;

use hf_hub::repository::CommitOperation;
use hf_hub::{HFError, RepoTypeModel, split_id};

use crate::client::Client;
use crate::error::HubError;
use crate::repo::Repo;
use crate::settings::HubSettings;

/// What to upload and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload<'a> {
    /// The model repository: `owner/name`, or `name` alone for one of the token's user.
    pub repo: &'a str,
    /// The folder of the files.
    pub folder: &'a Path,
    /// Their names in the folder and in the repository.
    pub files: &'a [&'a str],
    /// Whether a repository that is created is private.
    pub private: bool,
    /// The branch.
    pub revision: &'a str,
    /// The first line of the commit's message.
    pub commit_message: &'a str,
}

/// Uploads and returns the address of the page.
pub(crate) fn run(settings: &HubSettings, upload: &Upload<'_>) -> Result<String, HubError> {
    let repo = Repo::model(upload.repo)?;
    if settings.offline {
        return Err(HubError::Offline { repo: repo.to_string() });
    }
    let client = Client::for_uploads(settings)?;
    if settings.token.is_none() {
        return Err(HubError::NoToken { repo: repo.to_string(), endpoint: client.endpoint });
    }
    for path in upload.files.iter().map(|name| upload.folder.join(name)) {
        File::open(&path).map_err(|source| HubError::Unreadable { path, source })?;
    }
    let repo = with_owner(&client, repo)?;
    commit(&client, &repo.id, upload).map_err(|error| refused(&client, &repo, error))?;
    let page = format!("{}/{}", client.endpoint, repo.id);
    Ok(if upload.revision == "main" { page } else { format!("{page}/tree/{}", upload.revision) })
}

/// The repository under its full name: a single one belongs to the token's user.
fn with_owner(client: &Client, repo: Repo) -> Result<Repo, HubError> {
    if repo.id.contains('/') {
        return Ok(repo);
    }
    let user = client.wait(client.hub.whoami().send()).map_err(|error| refused(client, &repo, error))?;
    Repo::model(&format!("{}/{}", user.username, repo.id))
}

fn commit(client: &Client, id: &str, upload: &Upload<'_>) -> Result<(), HFError> {
    let new = client.hub.create_repository().repo_id(id).repo_type(RepoTypeModel);
    client.wait(new.private(upload.private).exist_ok(true).send())?;
    let (owner, name) = split_id(id);
    let repository = client.hub.model(owner, name);
    if upload.revision != "main" {
        match client.wait(repository.create_branch().branch(upload.revision).send()) {
            Ok(()) | Err(HFError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let files = upload.files.iter().map(|name| CommitOperation::add_file(*name, upload.folder.join(name)));
    let commit = repository.create_commit().operations(files.collect()).revision(upload.revision);
    client.wait(commit.commit_message(upload.commit_message).send())?;
    Ok(())
}

fn refused(client: &Client, repo: &Repo, error: HFError) -> HubError {
    match &error {
        HFError::Http { context }
        | HFError::AuthRequired { context }
        | HFError::Forbidden { context }
        | HFError::Conflict { context }
        | HFError::RateLimited { context, .. }
        | HFError::RepoNotFound { context: Some(context), .. } => HubError::UploadRefused {
            repo: repo.to_string(),
            status: context.status.as_u16(),
            reason: context.server_message.as_ref().map(|said| format!(": {said}")).unwrap_or_default(),
        },
        _ => client.error(repo, &client.endpoint, error),
    }
}
