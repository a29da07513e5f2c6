//! One file from the hub into the cache: gathered aside, gone on with where it broke off, checked, named.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::cache::{RepoFolder, at, create_parent};
use super::client::{Client, Metadata, retried};
use super::repo::Repo;
use super::{HubError, HubProgress};

/// A file of a repository on its way into the cache.
pub(super) struct Download<'a> {
    pub(super) client: &'a Client,
    pub(super) repo: &'a Repo,
    pub(super) folder: &'a RepoFolder,
    pub(super) commit: &'a str,
    pub(super) name: &'a str,
}

impl Download<'_> {
    /// Brings the file and returns its path in the snapshot.
    pub(super) fn run(&self, on_progress: &mut dyn FnMut(HubProgress<'_>)) -> Result<PathBuf, HubError> {
        let url = self.client.file_url(self.repo, self.commit, self.name);
        let metadata = self.client.metadata(self.repo, &url)?;
        let blob = self.folder.blob(&metadata.etag);
        if !has_size(&blob, metadata.size) {
            self.gather(&url, &metadata, &blob, on_progress)?;
        }
        self.folder.show(self.commit, self.name, &metadata.etag)
    }

    fn gather(
        &self,
        url: &str,
        metadata: &Metadata,
        blob: &Path,
        on_progress: &mut dyn FnMut(HubProgress<'_>),
    ) -> Result<(), HubError> {
        let path = self.folder.part(&metadata.etag);
        let mut part = open_locked(&path)?;
        if has_size(blob, metadata.size) {
            return Ok(()); // another process has brought it while this one waited for the lock
        }
        let mut checked = Err(String::new());
        // Twice, because what an earlier run left aside may be what is wrong.
        for _ in 0..2 {
            self.fill(url, metadata.size, &mut part, &path, on_progress)?;
            checked = check(&mut part, metadata).map_err(at(&path))?;
            match checked {
                Ok(()) => break,
                Err(_) => part.set_len(0).map_err(at(&path))?,
            }
        }
        if let Err(reason) = checked {
            fs::remove_file(&path).map_err(at(&path))?;
            return Err(HubError::Corrupt { file: self.name.to_owned(), reason });
        }
        part.sync_all().map_err(at(&path))?;
        fs::rename(&path, blob).map_err(at(blob))
    }

    /// Asks for what is missing until nothing is. A request that brought something does not count
    /// as a try: a long file over a bad line arrives in many pieces.
    fn fill(
        &self,
        url: &str,
        size: u64,
        part: &mut File,
        path: &Path,
        on_progress: &mut dyn FnMut(HubProgress<'_>),
    ) -> Result<(), HubError> {
        let mut tell =
            |done| on_progress(HubProgress { file: self.name, bytes_done: done, bytes_total: size });
        retried(|| {
            loop {
                let before = part.metadata().map_err(at(path))?.len();
                if before >= size {
                    return Ok(());
                }
                tell(before);
                let (start, body) = self.client.body(self.repo, url, before)?;
                part.set_len(start).map_err(at(path))?;
                part.seek(SeekFrom::Start(start)).map_err(at(path))?;
                // One byte more than announced is enough to see that it is too long.
                let ended = copy(&mut body.take(size - start + 1), part, |bytes| tell(start + bytes));
                let source = ended.map_err(at(path))?;
                let after = part.metadata().map_err(at(path))?.len();
                if after <= before {
                    let file = self.name.to_owned();
                    return Err(HubError::BrokeOff { file, bytes_done: after, bytes_total: size, source });
                }
            }
        })
    }
}

/// Copies until the body ends and says how it ended; an error is the file's, not the body's.
fn copy(body: &mut impl Read, file: &mut File, mut tell: impl FnMut(u64)) -> io::Result<io::Error> {
    let mut buffer = vec![0; 128 << 10];
    let mut copied = 0;
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => return Ok(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(error),
        };
        file.write_all(&buffer[..read])?;
        copied += read as u64;
        tell(copied);
    }
}

/// The file beside the blob, for this process alone. Where the disk has no locks there is none.
fn open_locked(path: &Path) -> Result<File, HubError> {
    create_parent(path)?;
    let options = File::options().read(true).write(true).create(true).truncate(false).open(path);
    let file = options.map_err(at(path))?;
    match file.lock() {
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(at(path)(error)),
        _ => Ok(file),
    }
}

fn has_size(path: &Path, size: u64) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == size)
}

/// Compares size, and SHA-256 when the etag is one, with what the hub announced.
fn check(part: &mut File, metadata: &Metadata) -> io::Result<Result<(), String>> {
    let size = part.metadata()?.len();
    if size != metadata.size {
        return Ok(Err(format!("{size} bytes instead of {}", metadata.size)));
    }
    if !is_sha256(&metadata.etag) {
        return Ok(Ok(()));
    }
    let found = sha256(part)?;
    let same = found.eq_ignore_ascii_case(&metadata.etag);
    Ok(if same { Ok(()) } else { Err(format!("sha256 {found} instead of {}", metadata.etag)) })
}

fn is_sha256(etag: &str) -> bool {
    etag.len() == 64 && etag.chars().all(|c| c.is_ascii_hexdigit())
}

fn sha256(file: &mut File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => digest.update(&buffer[..read]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
