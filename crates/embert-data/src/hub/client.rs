//! What is asked of the hub: the list of a repository's files, a file's etag and size, its bytes.

use std::fmt;
use std::path::{Component, Path};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use ureq::config::RedirectAuthHeaders;
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::repo::Repo;
use super::{HubError, HubSettings};

/// Speaks with one hub.
pub(super) struct Client {
    agent: Agent,
    /// Without the name and password that it may have been given with: it is told to people.
    endpoint: String,
    userinfo: Option<String>,
    token: Option<String>,
}

/// Nothing of its secrets.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// The files of a repository's `main`.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) commit: String,
    pub(super) names: Vec<String>,
}

/// What the hub says of a file before it sends it.
#[derive(Debug)]
pub(super) struct Metadata {
    /// SHA-256 of a large file, another name of the content else.
    pub(super) etag: String,
    /// In bytes.
    pub(super) size: u64,
}

/// Waits between tries: 4 seconds in all, so that a hub that is down is soon said to be.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(2000),
];

/// Silence after which a connection counts as dropped.
const PATIENCE: Duration = Duration::from_secs(10);

/// More than the list of any repository that holds a model; a body without end stops here.
const LONGEST_LISTING: u64 = 256 << 20;

impl Client {
    pub(super) fn new(settings: &HubSettings) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            // Sizes and ranges are those of the file only while nobody compresses on the way.
            .accept_encoding("identity")
            .user_agent(concat!("embert/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_per_read(Some(PATIENCE))
            .timeout_per_write(Some(PATIENCE));
        let (endpoint, userinfo) = without_userinfo(settings.endpoint.trim_end_matches('/'));
        if is_this_machine(&endpoint) {
            config = config.proxy(None); // proxies, which ureq finds by itself, lead away from here
        }
        Self { agent: config.build().into(), endpoint, userinfo, token: settings.token.clone() }
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The files of `repo`'s `main` and the commit that it means.
    pub(super) fn listing(&self, repo: &Repo) -> Result<Listing, HubError> {
        let url = format!("{}/{}", self.endpoint, repo.listing_path());
        let text = retried(|| {
            let mut response = self.accepted(repo, &url, self.get(&url, None)?)?;
            let body = response.body_mut().with_config().limit(LONGEST_LISTING);
            body.read_to_string().map_err(|error| self.unreachable(error))
        })?;
        parse_listing(&text).ok_or_else(|| HubError::NotAHub {
            url,
            reason: "no JSON with the commit (sha) and the files (siblings)".to_owned(),
        })
    }

    /// Where the file `name` of a commit is.
    pub(super) fn file_url(&self, repo: &Repo, commit: &str, name: &str) -> String {
        format!("{}/{}/resolve/{commit}/{}", self.endpoint, repo.page_path(), percent_encoded(name))
    }

    /// The etag and size of the file at `url`.
    ///
    /// The hub says them in its own answer, before it sends one elsewhere for the bytes: redirects
    /// are followed while they stay on the hub, as for a repository that was renamed.
    pub(super) fn metadata(&self, repo: &Repo, url: &str) -> Result<Metadata, HubError> {
        retried(|| {
            let mut response = self.head(url)?;
            for _ in 0..5 {
                let Some(next) = self.redirect_on_the_hub(&response) else { break };
                response = self.head(&next)?;
            }
            if !response.status().is_redirection() {
                response = self.accepted(repo, url, response)?;
            }
            parse_metadata(&response).ok_or_else(|| HubError::NotAHub {
                url: url.to_owned(),
                reason: "neither etag nor size of the file".to_owned(),
            })
        })
    }

    /// The bytes of the file at `url` from the byte `first` on, or from an earlier one: the answer
    /// says from which.
    pub(super) fn body(
        &self,
        repo: &Repo,
        url: &str,
        first: u64,
    ) -> Result<(u64, ureq::BodyReader<'static>), HubError> {
        let range = (first > 0).then(|| format!("bytes={first}-"));
        let response = self.accepted(repo, url, self.get(url, range.as_deref())?)?;
        let start = match response.status() {
            StatusCode::PARTIAL_CONTENT => range_start(&response).unwrap_or(0),
            _ => 0,
        };
        Ok((start.min(first), response.into_body().into_reader()))
    }

    fn get(&self, url: &str, range: Option<&str>) -> Result<Response<Body>, HubError> {
        let mut request = self.agent.get(self.with_userinfo(url));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        request.call().map_err(|error| self.unreachable(error))
    }

    /// The address to ask: with name and password where they were given and there is no token, of which ureq makes an
    /// `Authorization` for this host alone.
    fn with_userinfo(&self, url: &str) -> String {
        match (&self.userinfo, &self.token) {
            (Some(userinfo), None) => url.replacen("://", &format!("://{userinfo}@"), 1),
            _ => url.to_owned(),
        }
    }

    fn head(&self, url: &str) -> Result<Response<Body>, HubError> {
        let mut request = self.agent.head(self.with_userinfo(url)).config().max_redirects(0).build();
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request.call().map_err(|error| self.unreachable(error))
    }

    fn redirect_on_the_hub(&self, response: &Response<Body>) -> Option<String> {
        let location = text_header(response, "location").filter(|_| response.status().is_redirection())?;
        let origin = origin(&self.endpoint);
        if location.starts_with('/') && !location.starts_with("//") {
            return Some(format!("{origin}{location}"));
        }
        location.starts_with(&format!("{origin}/")).then(|| location.to_owned())
    }

    /// The response itself if it is a success, else what its refusal means.
    fn accepted(&self, repo: &Repo, url: &str, response: Response<Body>) -> Result<Response<Body>, HubError> {
        let status = response.status().as_u16();
        let code = text_header(&response, "x-error-code").unwrap_or_default();
        let repo_name = repo.to_string();
        let page = format!("{}/{}", self.endpoint, repo.page_path());
        match status {
            200..300 => Ok(response),
            401 | 403 | 404 if code == "RepoNotFound" => {
                Err(HubError::NotFound { repo: repo_name, endpoint: self.endpoint.clone() })
            }
            401 | 403 if self.token.is_none() => {
                Err(HubError::TokenMissing { repo: repo_name, status, page })
            }
            401 | 403 => Err(HubError::TokenRefused { repo: repo_name, status, page }),
            404 if url.contains("/api/") => {
                Err(HubError::NotFound { repo: repo_name, endpoint: self.endpoint.clone() })
            }
            _ => Err(HubError::Status { url: url.to_owned(), status }),
        }
    }

    fn unreachable(&self, error: ureq::Error) -> HubError {
        HubError::Unreachable { endpoint: self.endpoint.clone(), source: Box::new(error) }
    }
}

/// Tries again after a pause while what went wrong may well pass.
pub(super) fn retried<T>(mut attempt: impl FnMut() -> Result<T, HubError>) -> Result<T, HubError> {
    for pause in PAUSES {
        match attempt() {
            Err(error) if error.is_transient() => sleep(pause),
            result => return result,
        }
    }
    attempt()
}

fn parse_listing(text: &str) -> Option<Listing> {
    let value: Value = serde_json::from_str(text).ok()?;
    let commit = value["sha"].as_str()?.to_owned();
    let names = value["siblings"].as_array()?.iter().filter_map(|file| file["rfilename"].as_str());
    is_plain(&commit)
        .then(|| Listing { commit, names: names.filter(|name| is_inside(name)).map(str::to_owned).collect() })
}

fn parse_metadata(response: &Response<Body>) -> Option<Metadata> {
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

/// The first byte that a partial answer holds, from `bytes FIRST-LAST/SIZE`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = text_header(response, "content-range")?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.trim().parse().ok()
}

fn text_header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// Commits and etags become names of files: letters, digits, `-` and `_`.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Whether a file's name leads nowhere but into the folder it is joined to, on any system.
fn is_inside(name: &str) -> bool {
    let down = |part| matches!(part, Component::Normal(_));
    !name.is_empty() && !name.contains(['\\', ':']) && Path::new(name).components().all(down)
}

/// `https://host:port` of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or(url, |slash| &url[..host + slash])
}

/// An address, and what stood before an `@` in its host.
pub(super) fn without_userinfo(url: &str) -> (String, Option<String>) {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find('/').map_or(url.len(), |slash| host + slash);
    match url[host..end].rfind('@') {
        Some(at) => {
            let at = host + at;
            (format!("{}{}", &url[..host], &url[at + 1..]), Some(url[host..at].to_owned()))
        }
        None => (url.to_owned(), None),
    }
}

fn is_this_machine(endpoint: &str) -> bool {
    let host = origin(endpoint).split_once("://").map_or(endpoint, |(_, host)| host);
    host.starts_with("127.") || host.starts_with("[::1]") || host.split(':').next() == Some("localhost")
}

fn percent_encoded(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_snapshot_are_dropped_from_a_listing() {
        let text = r#"{"sha": "c0ffee", "siblings": [{"rfilename": "a.json"}, {"rfilename": "../b"},
            {"rfilename": "/etc/c"}, {"rfilename": "d\\..\\e"}, {"rfilename": "f/g.parquet"}]}"#;
        let listing = parse_listing(text).unwrap();
        assert_eq!(listing.names, ["a.json", "f/g.parquet"]);
        assert!(parse_listing(&text.replace("c0ffee", "../..")).is_none());
        assert!(parse_listing("<html>log in</html>").is_none());
    }

    #[test]
    fn only_this_machine_is_asked_without_a_proxy() {
        assert_eq!(origin("https://host:1/prefix/x"), "https://host:1");
        assert!(is_this_machine("http://127.0.0.1:8765") && is_this_machine("http://localhost:1/x"));
        assert!(!is_this_machine("https://huggingface.co") && !is_this_machine("http://localhost.org"));
    }

    #[test]
    fn a_name_and_password_are_taken_out_of_an_address() {
        let check = |url: &str, bare: &str, userinfo: Option<&str>| {
            assert_eq!(without_userinfo(url), (bare.to_owned(), userinfo.map(str::to_owned)), "{url}");
        };
        check("https://user:token@host:1/prefix", "https://host:1/prefix", Some("user:token"));
        check("user:to@ken@host", "host", Some("user:to@ken"));
        check("https://host/a@b", "https://host/a@b", None);
    }

    #[test]
    fn names_are_encoded_for_a_url() {
        assert_eq!(percent_encoded("a b/train-00000.parquet"), "a%20b/train-00000.parquet");
    }
}
