//! Requests to the Hub: the files of a repository, the etag and the size of a file, its bytes.

use std::fmt;
use std::future::Future;
use std::iter;
use std::ops::Range;
use std::path::{Component, Path};
use std::thread::sleep;
use std::time::Duration;

use futures::StreamExt;
use hf_hub::repository::RepoSibling;
use hf_hub::repository::download::HFByteStream;
use hf_hub::{HFClient, HFError, HFRepository, HFResult, RepoType, split_id};
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Response, Url};
use tokio::runtime::{Builder, Runtime};

use crate::address::{is_this_machine, without_userinfo};
use crate::error::{HubError, causes, root};
use crate::repo::{Kind, Repo};
use crate::settings::HubSettings;

/// Speaks with one Hub.
pub(crate) struct Client {
    pub(crate) hub: HFClient,
    /// For `HEAD`: follows redirects within the Hub alone.
    heads: reqwest::Client,
    runtime: Runtime,
    /// The address without user and password, for messages.
    pub(crate) endpoint: String,
    /// The address that is asked: with user and password if there are some and there is no token. reqwest makes an
    /// `Authorization` of them, for this host alone.
    base: Url,
    authorization: HeaderMap,
}

/// Shows no secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// The files of a repository at one commit.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) commit: String,
    pub(crate) names: Vec<String>,
}

/// What the Hub states about a file before it sends it.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// The SHA-256 of a large file, another name of the content else.
    pub(crate) etag: String,
    /// In bytes.
    pub(crate) size: u64,
}

/// Waits between tries: 4 seconds in all, so that a hub that is down is soon reported.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(2000),
];

/// What hf-hub gets where there is no token: it sends none that cannot be a header's value, and without one it would look
/// for a token in the environment.
const NO_TOKEN: &str = "\n";

impl Client {
    /// A client whose requests are repeated by [`retried`], not by hf-hub, which would also repeat a connection that cannot
    /// be made.
    pub(crate) fn for_downloads(settings: &HubSettings) -> Result<Self, HubError> {
        Self::new(settings, Duration::from_secs(10), 0)
    }

    /// A client whose requests hf-hub repeats. A commit of large files may take minutes.
    pub(crate) fn for_uploads(settings: &HubSettings) -> Result<Self, HubError> {
        Self::new(settings, Duration::from_secs(600), PAUSES.len())
    }

    /// `silence` ends a connection; `retries` are hf-hub's own.
    fn new(settings: &HubSettings, silence: Duration, retries: usize) -> Result<Self, HubError> {
        let (endpoint, _) = without_userinfo(settings.endpoint.trim_end_matches('/'));
        let unusable = |reason: &dyn fmt::Display| HubError::BadSettings {
            endpoint: endpoint.clone(),
            reason: reason.to_string(),
        };
        let authorization = authorization(settings.token.as_deref()).map_err(|error| unusable(&error))?;
        let asked = if settings.token.is_some() { &endpoint } else { &settings.endpoint };
        let base = Url::parse(asked).map_err(|error| unusable(&error))?;
        let build = |builder: ClientBuilder| builder.build().map_err(|error| unusable(&root(&error)));
        let hub = HFClient::builder()
            .endpoint(asked)
            .token(settings.token.as_deref().unwrap_or(NO_TOKEN))
            .client(build(builder(&endpoint, silence))?)
            .user_agent(USER_AGENT)
            .cache_dir(&settings.cache)
            .cache_enabled(false)
            .retry_max_attempts(retries)
            .retry_base_delay(PAUSES[0]);
        Ok(Self {
            hub: hub.build().map_err(|error| unusable(&root(&error)))?,
            heads: build(builder(&endpoint, silence).redirect(within(&base)))?,
            runtime: Builder::new_current_thread().enable_all().build().map_err(|error| unusable(&error))?,
            endpoint: endpoint.clone(),
            base,
            authorization,
        })
    }

    /// The files of `repo` at `revision` and the commit that it means.
    pub(crate) fn listing(&self, repo: &Repo, revision: &str) -> Result<Listing, HubError> {
        let url = format!("{}/{}", self.endpoint, repo.listing_path(revision));
        let (owner, name) = split_id(&repo.id);
        let wanted = ["sha", "siblings"].map(str::to_owned).to_vec();
        let info = async || match repo.kind {
            Kind::Model => {
                let repository = self.hub.model(owner, name);
                let info = repository.info().revision(revision).expand(wanted.clone()).send().await?;
                Ok((info.sha, info.siblings))
            }
            Kind::Dataset => {
                let repository = self.hub.dataset(owner, name);
                let info = repository.info().revision(revision).expand(wanted.clone()).send().await?;
                Ok((info.sha, info.siblings))
            }
        };
        let (sha, files) = retried(|| self.wait(info()).map_err(|error| self.error(repo, &url, error)))?;
        listing(sha, files).ok_or_else(|| HubError::NotAHub {
            url,
            reason: "no JSON with the commit (sha) and the files (siblings)".to_owned(),
        })
    }

    /// The etag and the size of a file.
    ///
    /// The Hub states them in its own answer, before it redirects to the storage: redirects are followed while they stay
    /// on the Hub, as for a repository that was renamed.
    pub(crate) fn metadata(&self, repo: &Repo, commit: &str, name: &str) -> Result<Metadata, HubError> {
        let url = self.file_url(repo, commit, name);
        let (shown, _) = without_userinfo(url.as_str());
        retried(|| {
            let request = self.heads.head(url.clone()).headers(self.authorization.clone());
            // In a block, since `send` starts a timer, which only runs in the runtime.
            let response = self.wait(async { request.send().await });
            let response = response.map_err(|error| self.unreachable(error))?;
            let status = response.status();
            if !status.is_success() && !status.is_redirection() {
                let code = text_header(&response, "x-error-code");
                return Err(self.refusal(repo, &shown, status.as_u16(), code));
            }
            metadata(&response).ok_or_else(|| HubError::NotAHub {
                url: shown.clone(),
                reason: "neither etag nor size of the file".to_owned(),
            })
        })
    }

    /// The bytes of a file in this range, piece by piece. A server without ranges sends the file from its beginning.
    pub(crate) fn body(
        &self,
        repo: &Repo,
        commit: &str,
        name: &str,
        range: Range<u64>,
    ) -> Result<impl Iterator<Item = HFResult<impl AsRef<[u8]>>>, HubError> {
        let range = (range.start > 0).then_some(range);
        let (owner, repo_name) = split_id(&repo.id);
        let stream = match repo.kind {
            Kind::Model => self.wait(stream(self.hub.model(owner, repo_name), commit, name, range)),
            Kind::Dataset => self.wait(stream(self.hub.dataset(owner, repo_name), commit, name, range)),
        };
        let mut stream =
            stream.map_err(|error| self.error(repo, self.file_url(repo, commit, name).as_str(), error))?;
        Ok(iter::from_fn(move || self.wait(stream.next())))
    }

    /// Waits for a request on the calling thread.
    pub(crate) fn wait<T>(&self, request: impl Future<Output = T>) -> T {
        self.runtime.block_on(request)
    }

    fn file_url(&self, repo: &Repo, commit: &str, name: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(repo.page_path().split('/'));
            path.extend(["resolve", commit]).extend(name.split('/'));
        }
        url
    }

    /// What an error of hf-hub means.
    pub(crate) fn error(&self, repo: &Repo, url: &str, error: HFError) -> HubError {
        match error {
            HFError::Http { context }
            | HFError::AuthRequired { context }
            | HFError::Forbidden { context }
            | HFError::Conflict { context }
            | HFError::RateLimited { context, .. }
            | HFError::RepoNotFound { context: Some(context), .. }
            | HFError::RevisionNotFound { context: Some(context), .. }
            | HFError::EntryNotFound { context: Some(context), .. } => {
                // Without the query, which signs an address of the storage.
                let url = context.url.split('?').next().unwrap_or_default();
                self.refusal(repo, url, context.status.as_u16(), context.error_code.as_deref())
            }
            HFError::Request { source, .. } if !is_json(&source) => self.unreachable(source),
            HFError::Request { .. } | HFError::Json(_) | HFError::MalformedResponse { .. } => {
                HubError::NotAHub {
                    url: without_userinfo(url).0,
                    reason: format!("no JSON of a repository: {}", root(&error)),
                }
            }
            error => self.unreachable(error),
        }
    }

    fn refusal(&self, repo: &Repo, url: &str, status: u16, code: Option<&str>) -> HubError {
        let (repo_name, page) = (repo.to_string(), format!("{}/{}", self.endpoint, repo.page_path()));
        let not_found = HubError::NotFound { repo: repo_name.clone(), endpoint: self.endpoint.clone() };
        match status {
            404 if code == Some("RevisionNotFound") => HubError::NoRevision { repo: repo_name },
            401 | 403 | 404 if code == Some("RepoNotFound") => not_found,
            401 | 403 if !self.authorization.contains_key(AUTHORIZATION) => {
                HubError::TokenMissing { repo: repo_name, status, page }
            }
            401 | 403 => HubError::TokenRefused { repo: repo_name, status, page },
            404 if url.contains("/api/") => not_found,
            _ => HubError::Status { url: url.to_owned(), status },
        }
    }

    fn unreachable(&self, error: impl std::error::Error + Send + Sync + 'static) -> HubError {
        HubError::Unreachable { endpoint: self.endpoint.clone(), source: Box::new(error) }
    }
}

/// Tries again after a pause while the error may pass.
pub(crate) fn retried<T>(mut attempt: impl FnMut() -> Result<T, HubError>) -> Result<T, HubError> {
    for pause in PAUSES {
        match attempt() {
            Err(error) if error.is_transient() => sleep(pause),
            result => return result,
        }
    }
    attempt()
}

const USER_AGENT: &str = concat!("embert/", env!("CARGO_PKG_VERSION"));

fn builder(endpoint: &str, silence: Duration) -> ClientBuilder {
    // Sizes and ranges are those of the file only while nobody compresses on the way.
    let plain = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(plain)
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(silence);
    if is_this_machine(endpoint) { builder.no_proxy() } else { builder }
}

/// Follows redirects within the origin of `base`; another one is the answer itself.
fn within(base: &Url) -> Policy {
    const MOST: usize = 5;
    let origin = base.origin();
    Policy::custom(move |attempt| {
        match attempt.url().origin() == origin && attempt.previous().len() <= MOST {
            true => attempt.follow(),
            false => attempt.stop(),
        }
    })
}

fn authorization(token: Option<&str>) -> Result<HeaderMap, &'static str> {
    let Some(token) = token else { return Ok(HeaderMap::new()) };
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value = value.map_err(|_| "the token has a character that cannot be sent")?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

async fn stream<T: RepoType>(
    repository: HFRepository<T>,
    commit: &str,
    name: &str,
    range: Option<Range<u64>>,
) -> HFResult<HFByteStream> {
    let file = repository.download_file_stream().filename(name).revision(commit).maybe_range(range);
    Ok(file.send().await?.1)
}

fn listing(sha: Option<String>, files: Option<Vec<RepoSibling>>) -> Option<Listing> {
    let names = files?.into_iter().map(|file| file.rfilename).filter(|name| is_inside(name)).collect();
    sha.filter(|commit| is_plain(commit)).map(|commit| Listing { commit, names })
}

fn metadata(response: &Response) -> Option<Metadata> {
    let etag = text_header(response, "x-linked-etag").or_else(|| text_header(response, "etag"))?;
    let etag = etag.trim_start_matches("W/").trim_matches('"').to_owned();
    let size = match text_header(response, "x-linked-size") {
        None if response.status().is_redirection() => None, // that would be the redirect's own
        None => text_header(response, "content-length"),
        size => size,
    };
    let size = size?.parse().ok()?;
    is_plain(&etag).then_some(Metadata { etag, size })
}

fn text_header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// Returns true if a body came complete and is not the JSON that was expected.
fn is_json(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.is::<serde_json::Error>())
}

/// Returns true if a commit or an etag can be the name of a file: letters, digits, `-` and `_`.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Returns true if a name leads nowhere but into the folder it is joined to, on any system.
pub(crate) fn is_inside(name: &str) -> bool {
    let down = |part| matches!(part, Component::Normal(_));
    !name.is_empty() && !name.contains(['\\', ':']) && Path::new(name).components().all(down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_snapshot_are_dropped_from_a_listing() {
        let names = ["a.json", "../b", "/etc/c", "d\\..\\e", "f/g.parquet"];
        let files = || {
            Some(names.map(|name| RepoSibling { rfilename: name.to_owned(), size: None, lfs: None }).to_vec())
        };
        assert_eq!(listing(Some("c0ffee".to_owned()), files()).unwrap().names, ["a.json", "f/g.parquet"]);
        assert!(listing(Some("../..".to_owned()), files()).is_none());
        assert!(listing(None, files()).is_none());
    }
}
