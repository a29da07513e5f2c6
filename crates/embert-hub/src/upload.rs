//! Upload of files to a model repository, in one commit.

use std::fs::File;
use std::path::Path;

use hf_hub::repository::CommitOperation;
use hf_hub::{HFError, RepoTypeModel, split_id};

use crate::client::Client;
use crate::error::HubError;
use crate::repo::Repo;
use crate::settings::HubSettings;

/// Files to upload, and their destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload<'a> {
    /// The model repository: `owner/name`, or `name` for a repository of the token's user.
    pub repo: &'a str,
    /// The folder with the files.
    pub folder: &'a Path,
    /// The file names in the folder and in the repository.
    pub files: &'a [&'a str],
    /// The names in the repository and the contents of files that are not in the folder.
    pub contents: &'a [(&'a str, &'a str)],
    /// True if a newly created repository is private.
    pub private: bool,
    /// The branch.
    pub revision: &'a str,
    /// The first line of the commit message.
    pub commit_message: &'a str,
}

/// Uploads the files and returns the URL of the page.
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
    commit(&client, &repo.id, upload).map_err(|error| upload_error(&client, &repo, error))?;
    let page = format!("{}/{}", client.endpoint, repo.id);
    Ok(if upload.revision == "main" { page } else { format!("{page}/tree/{}", upload.revision) })
}

/// Adds the token's user as owner to an id without an owner.
fn with_owner(client: &Client, repo: Repo) -> Result<Repo, HubError> {
    if repo.id.contains('/') {
        return Ok(repo);
    }
    let user = client.wait(client.hub.whoami().send()).map_err(|error| upload_error(client, &repo, error))?;
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
    let contents = upload.contents.iter();
    let contents = contents.map(|(name, text)| CommitOperation::add_bytes(*name, text.as_bytes().to_vec()));
    let operations = files.chain(contents).collect();
    let commit = repository.create_commit().operations(operations).revision(upload.revision);
    client.wait(commit.commit_message(upload.commit_message).send())?;
    Ok(())
}

fn upload_error(client: &Client, repo: &Repo, error: HFError) -> HubError {
    match &error {
        HFError::Http { context }
        | HFError::AuthRequired { context }
        | HFError::Forbidden { context }
        | HFError::Conflict { context }
        | HFError::RateLimited { context, .. }
        | HFError::RepoNotFound { context: Some(context), .. } => HubError::UploadRefused {
            repo: repo.to_string(),
            status: context.status.as_u16(),
            reason: context.server_message.as_ref().map(|message| format!(": {message}")).unwrap_or_default(),
        },
        _ => client.error(repo, &client.endpoint, error),
    }
}
