//! A hub in one thread per request: listing, HEAD, GET with ranges, and faults on demand.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use sha2::{Digest, Sha256};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the hub has, and how it misbehaves.
#[derive(Default)]
pub(crate) struct Plan {
    /// `owner/name` or `datasets/owner/name`, and its files.
    pub(crate) repos: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// This many requests are answered 503.
    pub(crate) fail_first: usize,
    /// Each body breaks off once after this many bytes.
    pub(crate) cut_after: Option<usize>,
    /// Ranges are answered with the whole file.
    pub(crate) ignores_ranges: bool,
    /// Requests without this token are answered 401.
    pub(crate) token: Option<&'static str>,
    /// Etags are the digest of something else.
    pub(crate) lies: bool,
    /// Files are redirected to another host, as large ones are.
    pub(crate) sends_elsewhere: bool,
    /// Every listing is this text instead.
    pub(crate) listing: Option<&'static str>,
    /// Repositories that nobody may know of, whoever asks without a token: `X-Error-Code`.
    pub(crate) hidden: bool,
    /// Every request so far: method, path, range if any.
    pub(crate) requests: Vec<String>,
    /// What requests to this hub said for themselves.
    pub(crate) authorizations: BTreeSet<String>,
    /// Bodies that have broken off already.
    pub(crate) cut: HashSet<String>,
}

/// A running hub. Its thread ends with the test's process.
pub(crate) struct Hub {
    pub(crate) endpoint: String,
    plan: Arc<Mutex<Plan>>,
}

impl Hub {
    pub(crate) fn new(plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Arc::new(Mutex::new(plan));
        let shared = Arc::clone(&plan);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                // `None`: the client hung up, or asked for nothing that a hub has. It gets no answer.
                thread::spawn(move || answer(stream.unwrap(), port, &shared));
            }
        });
        Self { endpoint: format!("http://127.0.0.1:{port}"), plan }
    }

    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap()
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.plan().requests)
    }
}

impl Plan {
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
    first: Option<usize>,
}

impl Request {
    fn token(&self) -> Option<&str> {
        self.authorization.as_deref()?.strip_prefix("Bearer ")
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first_line = lines.next()?;
    let (method, rest) = first_line.split_once(' ')?;
    let path = rest.split(' ').next()?.to_owned();
    let mut request =
        Request { method: method.to_owned(), path, host: String::new(), authorization: None, first: None };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "host" => request.host = value.to_owned(),
            "authorization" => request.authorization = Some(value.to_owned()),
            "range" => request.first = value.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok(),
            _ => {}
        }
    }
    Some(request)
}

fn answer(stream: TcpStream, port: u16, plan: &Mutex<Plan>) -> Option<()> {
    let request = read_request(&stream)?;
    let mut plan = plan.lock().unwrap();
    let range = request.first.map(|first| format!(" {first}-")).unwrap_or_default();
    plan.requests.push(format!("{} {}{range}", request.method, request.path));
    if plan.fail_first > 0 {
        plan.fail_first -= 1;
        return send(&stream, &request, 503, &[], b"try again");
    }
    let elsewhere = request.host.starts_with("localhost");
    assert!(!(elsewhere && request.authorization.is_some()), "the token left the hub");
    plan.authorizations.extend(request.authorization.clone());
    if plan.token.is_some() && !elsewhere && request.token() != plan.token {
        let code = [("X-Error-Code", if plan.hidden { "RepoNotFound" } else { "GatedRepo" }.to_owned())];
        return send(&stream, &request, 401, &code, b"");
    }
    let path = request.path.strip_prefix('/')?.to_owned();
    if let Some(rest) = path.strip_prefix("renamed/") {
        let location = [("Location", format!("/{}", rest.replace("old", "new")))];
        return send(&stream, &request, 307, &location, b"");
    }
    if let Some(rest) = path.strip_prefix("api/") {
        let repo = rest.strip_suffix("/revision/main")?;
        return send_listing(&stream, &request, &plan, repo.strip_prefix("models/").unwrap_or(repo));
    }
    let (repo, rest) = path.split_once("/resolve/")?;
    let name = rest.split_once('/')?.1;
    match plan.repos.get(repo).and_then(|files| files.get(name)).cloned() {
        Some(bytes) if plan.sends_elsewhere && !elsewhere => {
            let headers = [
                ("Location", format!("http://localhost:{port}{}", request.path)),
                ("X-Linked-Etag", format!("\"{}\"", sha256(&bytes))),
                ("X-Linked-Size", bytes.len().to_string()),
                ("ETag", "\"of-the-redirect\"".to_owned()),
            ];
            send(&stream, &request, 302, &headers, b"Found. Redirecting")
        }
        Some(bytes) => send_file(&stream, &request, &mut plan, name, &bytes),
        None => send(&stream, &request, 404, &[("X-Error-Code", "EntryNotFound".to_owned())], b""),
    }
}

fn send_listing(stream: &TcpStream, request: &Request, plan: &Plan, repo: &str) -> Option<()> {
    if let Some(text) = plan.listing {
        return send(stream, request, 200, &[], text.as_bytes());
    }
    let Some(files) = plan.repos.get(repo) else {
        return send(stream, request, 404, &[("X-Error-Code", "RepoNotFound".to_owned())], b"");
    };
    let siblings: Vec<String> = files.keys().map(|name| format!("{{\"rfilename\":\"{name}\"}}")).collect();
    let body = format!("{{\"sha\":\"{COMMIT}\",\"siblings\":[{}]}}", siblings.join(","));
    send(stream, request, 200, &[], body.as_bytes())
}

fn send_file(stream: &TcpStream, request: &Request, plan: &mut Plan, name: &str, bytes: &[u8]) -> Option<()> {
    let first = request.first.filter(|_| !plan.ignores_ranges);
    let body = &bytes[first.unwrap_or(0)..];
    let digest = sha256(if plan.lies { b"something else" } else { bytes });
    let mut headers = vec![("ETag", format!("\"{digest}\""))];
    if let Some(first) = first {
        headers.push(("Content-Range", format!("bytes {first}-{}/{}", bytes.len() - 1, bytes.len())));
    }
    let status = if first.is_some() { 206 } else { 200 };
    match plan.cut_after {
        Some(cut) if request.method == "GET" && body.len() > cut && plan.cut.insert(name.to_owned()) => {
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
