//! HTTP requests to the Hub: file lists, file metadata and file contents.

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
use crate::repo::{Repo, RepoKind};
use crate::settings::HubSettings;

/// HTTP client of one Hub.
pub(crate) struct Client {
    pub(crate) hub: HFClient,
    /// Client for `HEAD` requests. It follows only redirects within the Hub.
    head_client: reqwest::Client,
    runtime: Runtime,
    /// The address without user and password, for messages.
    pub(crate) endpoint: String,
    /// The address for requests. It has user and password if they are given and there is no token. reqwest
    /// sends them as `Authorization`, only to this host.
    base: Url,
    authorization: HeaderMap,
}

/// Hides secrets.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Files of a repository at one commit.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) commit: String,
    pub(crate) names: Vec<String>,
}

/// Metadata of a file, known before its download.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// The SHA-256 of a large file; another hash of the content for a small file.
    pub(crate) etag: String,
    /// The size in bytes.
    pub(crate) size: u64,
}

/// Delays before retries. They total less than 4 seconds, so that an unavailable Hub is reported soon.
const RETRY_DELAYS: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(2000),
];

/// Placeholder token for hf-hub if the user has no token. It is not a valid header value, so hf-hub sends no token. With
/// `None`, hf-hub would read a token from the environment.
const NO_TOKEN: &str = "\n";

impl Client {
    /// Creates a client without retries of hf-hub, which would also retry failed connections. Use [`retry`]
    /// instead.
    pub(crate) fn for_downloads(settings: &HubSettings) -> Result<Self, HubError> {
        Self::new(settings, Duration::from_secs(10), 0)
    }

    /// Creates a client with retries of hf-hub. Its timeout is long, because a commit of large files may take
    /// minutes.
    pub(crate) fn for_uploads(settings: &HubSettings) -> Result<Self, HubError> {
        Self::new(settings, Duration::from_secs(600), RETRY_DELAYS.len())
    }

    /// `read_timeout` is the maximum time between two received bytes; `retries` are those of hf-hub.
    fn new(settings: &HubSettings, read_timeout: Duration, retries: usize) -> Result<Self, HubError> {
        let (endpoint, _) = without_userinfo(settings.endpoint.trim_end_matches('/'));
        let invalid = |reason: &dyn fmt::Display| HubError::InvalidSettings {
            endpoint: endpoint.clone(),
            reason: reason.to_string(),
        };
        let authorization = authorization(settings.token.as_deref()).map_err(|error| invalid(&error))?;
        let address = if settings.token.is_some() { &endpoint } else { &settings.endpoint };
        let base = Url::parse(address).map_err(|error| invalid(&error))?;
        let build = |builder: ClientBuilder| builder.build().map_err(|error| invalid(&root(&error)));
        let hub = HFClient::builder()
            .endpoint(address)
            .token(settings.token.as_deref().unwrap_or(NO_TOKEN))
            .client(build(builder(&endpoint, read_timeout))?)
            .user_agent(USER_AGENT)
            .cache_dir(&settings.cache)
            .cache_enabled(false)
            .retry_max_attempts(retries)
            .retry_base_delay(RETRY_DELAYS[0]);
        Ok(Self {
            hub: hub.build().map_err(|error| invalid(&root(&error)))?,
            head_client: build(builder(&endpoint, read_timeout).redirect(same_origin(&base)))?,
            runtime: Builder::new_current_thread().enable_all().build().map_err(|error| invalid(&error))?,
            endpoint: endpoint.clone(),
            base,
            authorization,
        })
    }

    /// Returns the files of a repository at a revision, and the commit.
    pub(crate) fn listing(&self, repo: &Repo, revision: &str) -> Result<Listing, HubError> {
        let url = format!("{}/{}", self.endpoint, repo.listing_path(revision));
        let (owner, name) = split_id(&repo.id);
        let fields = ["sha", "siblings"].map(str::to_owned).to_vec();
        let info = async || match repo.kind {
            RepoKind::Model => {
                let repository = self.hub.model(owner, name);
                let info = repository.info().revision(revision).expand(fields.clone()).send().await?;
                Ok((info.sha, info.siblings))
            }
            RepoKind::Dataset => {
                let repository = self.hub.dataset(owner, name);
                let info = repository.info().revision(revision).expand(fields.clone()).send().await?;
                Ok((info.sha, info.siblings))
            }
        };
        let (sha, files) = retry(|| self.wait(info()).map_err(|error| self.error(repo, &url, error)))?;
        listing(sha, files).ok_or_else(|| HubError::UnexpectedResponse {
            url,
            reason: "it is not JSON with the commit (sha) and the files (siblings)".to_owned(),
        })
    }

    /// Returns the etag and the size of a file.
    ///
    /// The Hub sends them in its own response, before it redirects to the storage. So only redirects within
    /// the Hub are followed, as for a renamed repository.
    pub(crate) fn metadata(&self, repo: &Repo, commit: &str, name: &str) -> Result<Metadata, HubError> {
        let url = self.file_url(repo, commit, name);
        let (shown_url, _) = without_userinfo(url.as_str());
        retry(|| {
            let request = self.head_client.head(url.clone()).headers(self.authorization.clone());
            // `send` starts a timer, which needs the runtime, so it runs inside the async block.
            let response = self.wait(async { request.send().await });
            let response = response.map_err(|error| self.unreachable(error))?;
            let status = response.status();
            if !status.is_success() && !status.is_redirection() {
                let code = text_header(&response, "x-error-code");
                return Err(self.status_error(repo, &shown_url, status.as_u16(), code));
            }
            metadata(&response).ok_or_else(|| HubError::UnexpectedResponse {
                url: shown_url.clone(),
                reason: "it has no etag or no size of the file".to_owned(),
            })
        })
    }

    /// Returns the bytes of a range of a file, in chunks. A server without range support sends the complete
    /// file.
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
            RepoKind::Model => self.wait(stream(self.hub.model(owner, repo_name), commit, name, range)),
            RepoKind::Dataset => self.wait(stream(self.hub.dataset(owner, repo_name), commit, name, range)),
        };
        let mut stream =
            stream.map_err(|error| self.error(repo, self.file_url(repo, commit, name).as_str(), error))?;
        Ok(iter::from_fn(move || self.wait(stream.next())))
    }

    /// Runs a request to completion on the current thread.
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

    /// Converts an error of hf-hub.
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
                // Without the query, which contains the signature of a storage URL.
                let url = context.url.split('?').next().unwrap_or_default();
                self.status_error(repo, url, context.status.as_u16(), context.error_code.as_deref())
            }
            HFError::Request { source, .. } if !is_json_error(&source) => self.unreachable(source),
            HFError::Request { .. } | HFError::Json(_) | HFError::MalformedResponse { .. } => {
                HubError::UnexpectedResponse {
                    url: without_userinfo(url).0,
                    reason: format!("it is not JSON about a repository: {}", root(&error)),
                }
            }
            error => self.unreachable(error),
        }
    }

    fn status_error(&self, repo: &Repo, url: &str, status: u16, code: Option<&str>) -> HubError {
        let (repo_name, page) = (repo.to_string(), format!("{}/{}", self.endpoint, repo.page_path()));
        let not_found = HubError::RepoNotFound { repo: repo_name.clone(), endpoint: self.endpoint.clone() };
        match status {
            404 if code == Some("RevisionNotFound") => HubError::RevisionNotFound { repo: repo_name },
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

/// Repeats a request with delays as long as the error is transient.
pub(crate) fn retry<T>(mut attempt: impl FnMut() -> Result<T, HubError>) -> Result<T, HubError> {
    for pause in RETRY_DELAYS {
        match attempt() {
            Err(error) if error.is_transient() => sleep(pause),
            result => return result,
        }
    }
    attempt()
}

const USER_AGENT: &str = concat!("embert/", env!("CARGO_PKG_VERSION"));

fn builder(endpoint: &str, read_timeout: Duration) -> ClientBuilder {
    // Without compression, sizes and ranges are those of the file.
    let plain = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(plain)
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(read_timeout);
    if is_this_machine(endpoint) { builder.no_proxy() } else { builder }
}

/// Returns a policy that follows only redirects within the origin of `base`.
fn same_origin(base: &Url) -> Policy {
    const MAX_REDIRECTS: usize = 5;
    let origin = base.origin();
    Policy::custom(move |attempt| {
        if attempt.url().origin() == origin && attempt.previous().len() <= MAX_REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

fn authorization(token: Option<&str>) -> Result<HeaderMap, &'static str> {
    let Some(token) = token else { return Ok(HeaderMap::new()) };
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value = value.map_err(|_| "the token contains a character that is not allowed in a header")?;
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
    sha.filter(|commit| is_safe_name(commit)).map(|commit| Listing { commit, names })
}

fn metadata(response: &Response) -> Option<Metadata> {
    let etag = text_header(response, "x-linked-etag").or_else(|| text_header(response, "etag"))?;
    let etag = etag.trim_start_matches("W/").trim_matches('"').to_owned();
    let size = match text_header(response, "x-linked-size") {
        None if response.status().is_redirection() => None, // the content-length is that of the redirect
        None => text_header(response, "content-length"),
        size => size,
    };
    let size = size?.parse().ok()?;
    is_safe_name(&etag).then_some(Metadata { etag, size })
}

fn text_header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// Returns true if a complete response is not the expected JSON.
fn is_json_error(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.is::<serde_json::Error>())
}

/// Returns true if a commit or an etag is a safe file name: letters, digits, `-` and `_`.
fn is_safe_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Returns true if a relative path stays inside its folder, on all operating systems.
pub(crate) fn is_inside(name: &str) -> bool {
    let down = |part| matches!(part, Component::Normal(_));
    !name.is_empty() && !name.contains(['\\', ':']) && Path::new(name).components().all(down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_outside_the_snapshot_are_dropped() {
        let names = ["a.json", "../b", "/etc/c", "d\\..\\e", "f/g.parquet"];
        let files = || {
            Some(names.map(|name| RepoSibling { rfilename: name.to_owned(), size: None, lfs: None }).to_vec())
        };
        assert_eq!(listing(Some("c0ffee".to_owned()), files()).unwrap().names, ["a.json", "f/g.parquet"]);
        assert!(listing(Some("../..".to_owned()), files()).is_none());
        assert!(listing(None, files()).is_none());
    }
}
