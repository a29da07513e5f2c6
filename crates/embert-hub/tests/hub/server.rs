//! A test hub: file lists, HEAD, GET with ranges, uploads, and simulated faults. Each request has its own thread.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// State of the test hub, and the faults that it simulates.
#[derive(Default)]
pub(crate) struct TestHubState {
    /// Files by repository, `owner/name` or `datasets/owner/name`.
    pub(crate) repos: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// The number of requests that get status 503.
    pub(crate) fail_first: usize,
    /// Each file body is truncated once after this number of bytes.
    pub(crate) truncate_after: Option<usize>,
    /// Range requests get the complete file.
    pub(crate) ignores_ranges: bool,
    /// Requests without this token get status 401.
    pub(crate) token: Option<&'static str>,
    /// Etags are wrong digests.
    pub(crate) sends_wrong_digests: bool,
    /// Etags are not digests, like those of small files.
    pub(crate) sends_no_digests: bool,
    /// Each GET of a file gets this status and body.
    pub(crate) file_response: Option<(u16, &'static [u8])>,
    /// Files are redirected to another host, like large files.
    pub(crate) redirects_files: bool,
    /// Large files are uploaded to Xet storage, which this server also provides.
    pub(crate) has_xet: bool,
    /// Each file list is this text.
    pub(crate) listing_response: Option<&'static str>,
    /// Status 401 has `X-Error-Code: RepoNotFound`, as for a private repository.
    pub(crate) hides_repos: bool,
    /// All requests: method, path and range.
    pub(crate) requests: Vec<String>,
    /// The values of `Authorization` in requests.
    pub(crate) authorizations: BTreeSet<String>,
    /// Files whose body was truncated.
    pub(crate) truncated: HashSet<String>,
    /// Created repositories, and true if the request was for a private one.
    pub(crate) created: Vec<(String, bool)>,
    /// Branch and message of each commit.
    pub(crate) messages: Vec<String>,
    /// Request bodies sent to Xet storage.
    pub(crate) stored: Vec<Vec<u8>>,
    /// Branches other than `main`.
    pub(crate) branches: BTreeSet<String>,
}

/// A running test hub. Its thread ends with the process of the test.
pub(crate) struct TestHub {
    pub(crate) endpoint: String,
    state: Arc<Mutex<TestHubState>>,
}

impl TestHub {
    pub(crate) fn new(state: TestHubState) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                // `None`: the client closed the connection, or the request is unknown. It gets no response.
                thread::spawn(move || answer(stream.unwrap(), port, &shared));
            }
        });
        Self { endpoint: format!("http://127.0.0.1:{port}"), state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, TestHubState> {
        self.state.lock().unwrap()
    }

    /// Returns the requests since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }
}

impl TestHubState {
    pub(crate) fn with(repo: &str, files: &[(&str, &[u8])]) -> Self {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
        Self { repos: BTreeMap::from([(repo.to_owned(), files.collect())]), ..Self::default() }
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Request {
    method: String,
    path: String,
    host: String,
    authorization: Option<String>,
    range: Option<(usize, usize)>,
    body: Vec<u8>,
}

impl Request {
    fn token(&self) -> Option<&str> {
        self.authorization.as_deref()?.strip_prefix("Bearer ")
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut stream = BufReader::new(stream);
    let lines: Vec<String> =
        stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let (method, rest) = lines.first()?.split_once(' ')?;
    let path = rest.split([' ', '?']).next()?.to_owned();
    let headers = lines[1..].iter().filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<String, &str> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let header = |name: &str| headers.get(name).map(|value| (*value).to_owned());
    let range = header("range").and_then(|range| {
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?))
    });
    let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    let (host, authorization) = (header("host").unwrap_or_default(), header("authorization"));
    Some(Request { method: method.to_owned(), path, host, authorization, range, body })
}

fn answer(stream: TcpStream, port: u16, state: &Mutex<TestHubState>) -> Option<()> {
    let request = read_request(&stream)?;
    let mut state = state.lock().unwrap();
    let range = request.range.map(|(first, last)| format!(" {first}-{last}")).unwrap_or_default();
    state.requests.push(format!("{} {}{range}", request.method, request.path));
    if state.fail_first > 0 {
        state.fail_first -= 1;
        return send(&stream, &request, 503, &[], b"try again");
    }
    if let Some(rest) = request.path.strip_prefix("/cas/") {
        return store(&stream, &request, &mut state, rest);
    }
    let elsewhere = request.host.starts_with("localhost");
    assert!(!(elsewhere && request.authorization.is_some()), "the token left the hub");
    state.authorizations.extend(request.authorization.clone());
    if state.token.is_some() && !elsewhere && request.token() != state.token {
        let code =
            [("X-Error-Code", if state.hides_repos { "RepoNotFound" } else { "GatedRepo" }.to_owned())];
        return send(&stream, &request, 401, &code, b"");
    }
    if request.path.contains("renamed/old/") {
        let location = [("Location", request.path.replace("renamed/old/", "new/"))];
        return send(&stream, &request, 307, &location, b"");
    }
    let path = request.path.strip_prefix('/')?.to_owned();
    if let Some(rest) = path.strip_prefix("api/") {
        return match rest.split_once("/revision/") {
            Some((repo, _)) => {
                send_listing(&stream, &request, &state, repo.strip_prefix("models/").unwrap_or(repo))
            }
            None => upload(&stream, &request, &mut state, port, rest),
        };
    }
    if path.ends_with(".git/info/lfs/objects/batch") {
        let transfer: &[u8] =
            if state.has_xet { br#"{"transfer":"xet"}"# } else { br#"{"transfer":"basic"}"# };
        return send(&stream, &request, 200, &[], transfer);
    }
    let (repo, rest) = path.split_once("/resolve/")?;
    let name = rest.split_once('/')?.1;
    match state.repos.get(repo).and_then(|files| files.get(name)).cloned() {
        Some(bytes) if state.redirects_files && !elsewhere => {
            let headers = [
                ("Location", format!("http://localhost:{port}{}", request.path)),
                ("X-Linked-Etag", format!("\"{}\"", sha256(&bytes))),
                ("X-Linked-Size", bytes.len().to_string()),
                ("ETag", "\"of-the-redirect\"".to_owned()),
            ];
            send(&stream, &request, 302, &headers, b"Found. Redirecting")
        }
        Some(bytes) => send_file(&stream, &request, &mut state, name, &bytes),
        None => send(&stream, &request, 404, &[("X-Error-Code", "EntryNotFound".to_owned())], b""),
    }
}

/// Handles the requests of an upload: user, repository, branch, upload modes, storage, commit.
fn upload(
    stream: &TcpStream,
    request: &Request,
    state: &mut TestHubState,
    port: u16,
    path: &str,
) -> Option<()> {
    let json = |body: &str| send(stream, request, 200, &[], body.as_bytes());
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if path == "whoami-v2" {
        return json(r#"{"name":"somebody","type":"user"}"#);
    }
    if path == "repos/create" {
        let id = format!("{}/{}", asked["organization"].as_str()?, asked["name"].as_str()?);
        state.created.push((id.clone(), asked["private"].as_bool()?));
        let exists = state.repos.contains_key(&id);
        state.repos.entry(id.clone()).or_default();
        let url = format!("{{\"url\":\"http://127.0.0.1:{port}/{id}\"}}");
        return send(stream, request, if exists { 409 } else { 200 }, &[], url.as_bytes());
    }
    let mut parts = path.strip_prefix("models/")?.split('/');
    let id = format!("{}/{}", parts.next()?, parts.next()?);
    match (parts.next()?, parts.next()?) {
        ("branch", branch) => {
            let is_new = state.branches.insert(branch.to_owned());
            send(stream, request, if is_new { 200 } else { 409 }, &[], b"{}")
        }
        ("preupload", _) => {
            let mode = |name: &str| if name.ends_with(".safetensors") { "lfs" } else { "regular" };
            let files = asked["files"].as_array()?.iter().filter_map(|file| file["path"].as_str());
            let files: Vec<String> = files
                .map(|name| format!("{{\"path\":\"{name}\",\"uploadMode\":\"{}\"}}", mode(name)))
                .collect();
            json(&format!("{{\"files\":[{}]}}", files.join(",")))
        }
        ("xet-write-token", _) => {
            let cas = format!("http://127.0.0.1:{port}/cas");
            json(&format!("{{\"accessToken\":\"of-the-storage\",\"exp\":4000000000,\"casUrl\":\"{cas}\"}}"))
        }
        ("commit", branch) => {
            for line in request.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let line: Value = serde_json::from_slice(line).ok()?;
                let value = &line["value"];
                if let Some(summary) = value["summary"].as_str() {
                    state.messages.push(format!("{branch}: {summary}"));
                    continue;
                }
                let bytes = match value["oid"].as_str() {
                    Some(oid) => oid.as_bytes().to_vec(), // the bytes are in the storage
                    None => base64(value["content"].as_str()?)?,
                };
                state.repos.get_mut(&id)?.insert(value["path"].as_str()?.to_owned(), bytes);
            }
            json("{}")
        }
        _ => None,
    }
}

/// Handles requests to Xet storage. Newer versions of the protocol get status 404.
fn store(stream: &TcpStream, request: &Request, state: &mut TestHubState, path: &str) -> Option<()> {
    assert_eq!(request.token(), Some("of-the-storage"), "the hub's token must not be sent to the storage");
    let body: &[u8] = match path {
        _ if path.starts_with("v1/xorbs/") => br#"{"was_inserted":true}"#,
        "v1/shards" => br#"{"result":1}"#,
        _ => return send(stream, request, 404, &[], b""),
    };
    state.stored.push(request.body.clone());
    send(stream, request, 200, &[], body)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (vec![], 0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | DIGITS.iter().position(|known| *known == digit)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

fn send_listing(stream: &TcpStream, request: &Request, state: &TestHubState, repo: &str) -> Option<()> {
    if let Some(text) = state.listing_response {
        return send(stream, request, 200, &[], text.as_bytes());
    }
    let Some(files) = state.repos.get(repo) else {
        return send(stream, request, 404, &[("X-Error-Code", "RepoNotFound".to_owned())], b"");
    };
    let siblings: Vec<String> = files.keys().map(|name| format!("{{\"rfilename\":\"{name}\"}}")).collect();
    let body = format!("{{\"id\":\"{repo}\",\"sha\":\"{COMMIT}\",\"siblings\":[{}]}}", siblings.join(","));
    send(stream, request, 200, &[], body.as_bytes())
}

fn send_file(
    stream: &TcpStream,
    request: &Request,
    state: &mut TestHubState,
    name: &str,
    bytes: &[u8],
) -> Option<()> {
    if let Some((status, page)) = state.file_response.filter(|_| request.method == "GET") {
        return send(stream, request, status, &[], page);
    }
    let range = request.range.filter(|_| !state.ignores_ranges);
    let body = range.map_or(bytes, |(first, last)| &bytes[first..=last]);
    let digest = match (state.sends_wrong_digests, state.sends_no_digests) {
        (true, _) => sha256(b"something else"),
        (false, true) => "etag-of-a-small-file".to_owned() + &bytes.len().to_string(),
        (false, false) => sha256(bytes),
    };
    let mut headers = vec![("ETag", format!("\"{digest}\""))];
    if let Some((first, last)) = range {
        headers.push(("Content-Range", format!("bytes {first}-{last}/{}", bytes.len())));
    }
    let status = if range.is_some() { 206 } else { 200 };
    match state.truncate_after {
        Some(cut)
            if request.method == "GET" && body.len() > cut && state.truncated.insert(name.to_owned()) =>
        {
            head(stream, status, &headers, body.len())?;
            (&*stream).write_all(&body[..cut]).ok()?;
            stream.shutdown(Shutdown::Both).ok()
        }
        _ => send(stream, request, status, &headers, body),
    }
}

fn send(
    stream: &TcpStream,
    request: &Request,
    status: u16,
    headers: &[(&str, String)],
    body: &[u8],
) -> Option<()> {
    head(stream, status, headers, body.len())?;
    if request.method != "HEAD" {
        (&*stream).write_all(body).ok()?;
    }
    stream.shutdown(Shutdown::Write).ok()
}

fn head(mut stream: &TcpStream, status: u16, headers: &[(&str, String)], length: usize) -> Option<()> {
    let mut text = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    stream.write_all((text + "\r\n").as_bytes()).ok()
}
