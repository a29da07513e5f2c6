//! Download of one file into the cache: to a partial file, resumed if interrupted, verified, then renamed.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hf_hub::HFResult;
use sha2::{Digest, Sha256};

use crate::cache::{RepoFolder, create_parent, io_error};
use crate::client::{Client, Metadata, retry};
use crate::error::HubError;
use crate::progress::{HubProgress, OnProgress};
use crate::repo::Repo;

/// The download of one file.
pub(crate) struct Download<'a> {
    pub(crate) client: &'a Client,
    pub(crate) repo: &'a Repo,
    pub(crate) folder: &'a RepoFolder,
    pub(crate) commit: &'a str,
    pub(crate) name: &'a str,
}

impl Download<'_> {
    /// Downloads the file and returns its path in the snapshot.
    pub(crate) fn run(&self, on_progress: &mut OnProgress<'_>) -> Result<PathBuf, HubError> {
        let metadata = self.client.metadata(self.repo, self.commit, self.name)?;
        let blob = self.folder.blob(&metadata.etag);
        if !has_size(&blob, metadata.size) {
            self.fetch_blob(&metadata, &blob, on_progress)?;
        }
        self.folder.link(self.commit, self.name, &metadata.etag)
    }

    fn fetch_blob(
        &self,
        metadata: &Metadata,
        blob: &Path,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<(), HubError> {
        let path = self.folder.partial(&metadata.etag);
        let mut partial = open_locked(&path)?;
        if has_size(blob, metadata.size) {
            return Ok(()); // another process downloaded it while this one waited for the lock
        }
        let mut verified = Err(String::new());
        // Twice, because an earlier run may have left wrong bytes.
        for _ in 0..2 {
            self.fetch_missing_bytes(metadata, &mut partial, &path, on_progress)?;
            verified = verify(&mut partial, metadata).map_err(io_error(&path))?;
            match verified {
                Ok(()) => break,
                Err(_) => partial.set_len(0).map_err(io_error(&path))?,
            }
        }
        if let Err(reason) = verified {
            fs::remove_file(&path).map_err(io_error(&path))?;
            return Err(HubError::Corrupt { file: self.name.to_owned(), reason });
        }
        partial.sync_all().map_err(io_error(&path))?;
        fs::rename(&path, blob).map_err(io_error(blob))
    }

    /// Requests the missing bytes until the file is complete.
    ///
    /// A request that returned bytes does not count as a failed attempt, so a large file can arrive over a
    /// bad connection in many parts. Parts of a file without a SHA-256 are not joined, because an error could
    /// not be detected.
    fn fetch_missing_bytes(
        &self,
        metadata: &Metadata,
        partial: &mut File,
        path: &Path,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<(), HubError> {
        let (size, is_resumable) = (metadata.size, is_sha256(&metadata.etag));
        let mut report =
            |done| on_progress(HubProgress { file: self.name, bytes_done: done, bytes_total: size });
        retry(|| {
            loop {
                if !is_resumable {
                    partial.set_len(0).map_err(io_error(path))?;
                }
                let before = partial.seek(SeekFrom::End(0)).map_err(io_error(path))?;
                if before >= size {
                    return Ok(());
                }
                report(before);
                let body = self.client.body(self.repo, self.commit, self.name, before..size)?;
                let source = append(body, partial, size - before, |bytes| report(before + bytes));
                let source = source.map_err(io_error(path))?;
                let after = partial.metadata().map_err(io_error(path))?.len();
                if after >= size {
                    return Ok(());
                }
                if after == before || !is_resumable {
                    let file = self.name.to_owned();
                    return Err(HubError::IncompleteDownload {
                        file,
                        bytes_done: after,
                        bytes_total: size,
                        source,
                    });
                }
            }
        })
    }
}

/// Appends a body to the file, up to `max` + 1 bytes, which is enough to detect a body that is too long.
///
/// Returns the reason why the body ended. An error is an error of the file.
fn append(
    body: impl Iterator<Item = HFResult<impl AsRef<[u8]>>>,
    file: &mut File,
    max: u64,
    mut report: impl FnMut(u64),
) -> io::Result<Box<dyn Error + Send + Sync>> {
    let mut copied = 0;
    for chunk in body {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => return Ok(Box::new(error)),
        };
        let remaining = usize::try_from(max + 1 - copied).unwrap_or(usize::MAX);
        let bytes = &chunk.as_ref()[..chunk.as_ref().len().min(remaining)];
        file.write_all(bytes)?;
        copied += bytes.len() as u64;
        report(copied.min(max));
        if copied > max {
            break;
        }
    }
    Ok(io::Error::from(io::ErrorKind::UnexpectedEof).into())
}

/// Opens and locks the partial file. The lock is skipped if the file system does not support locks.
fn open_locked(path: &Path) -> Result<File, HubError> {
    create_parent(path)?;
    let options = File::options().read(true).write(true).create(true).truncate(false).open(path);
    let file = options.map_err(io_error(path))?;
    match file.lock() {
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(io_error(path)(error)),
        _ => Ok(file),
    }
}

fn has_size(path: &Path, size: u64) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == size)
}

/// Compares the size, and the SHA-256 if the etag is one, with the metadata of the Hub.
fn verify(partial: &mut File, metadata: &Metadata) -> io::Result<Result<(), String>> {
    let size = partial.metadata()?.len();
    if size != metadata.size {
        return Ok(Err(format!("{size} bytes instead of {}", metadata.size)));
    }
    if !is_sha256(&metadata.etag) {
        return Ok(Ok(()));
    }
    let found = sha256(partial)?;
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
