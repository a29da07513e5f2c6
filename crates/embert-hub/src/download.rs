//! Downloads one file into the cache: into a partial file, resumed where it broke off, checked, renamed.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hf_hub::HFResult;
use sha2::{Digest, Sha256};

use crate::cache::{RepoFolder, at, create_parent};
use crate::client::{Client, Metadata, retried};
use crate::error::HubError;
use crate::progress::{HubProgress, OnProgress};
use crate::repo::Repo;

/// A file of a repository on its way into the cache.
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
            self.gather(&metadata, &blob, on_progress)?;
        }
        self.folder.show(self.commit, self.name, &metadata.etag)
    }

    fn gather(
        &self,
        metadata: &Metadata,
        blob: &Path,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<(), HubError> {
        let path = self.folder.part(&metadata.etag);
        let mut part = open_locked(&path)?;
        if has_size(blob, metadata.size) {
            return Ok(()); // another process has brought it while this one waited for the lock
        }
        let mut checked = Err(String::new());
        // Twice, because what an earlier run left aside may be what is wrong.
        for _ in 0..2 {
            self.fill(metadata, &mut part, &path, on_progress)?;
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

    /// Asks for what is missing until nothing is.
    ///
    /// A request that brought something is not a failed try: a long file over a bad line arrives in many pieces. Pieces of
    /// a file without a SHA-256 are not joined, since nothing would show that they do not fit.
    fn fill(
        &self,
        metadata: &Metadata,
        part: &mut File,
        path: &Path,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<(), HubError> {
        let (size, joins) = (metadata.size, is_sha256(&metadata.etag));
        let mut report =
            |done| on_progress(HubProgress { file: self.name, bytes_done: done, bytes_total: size });
        retried(|| {
            loop {
                if !joins {
                    part.set_len(0).map_err(at(path))?;
                }
                let before = part.seek(SeekFrom::End(0)).map_err(at(path))?;
                if before >= size {
                    return Ok(());
                }
                report(before);
                let body = self.client.body(self.repo, self.commit, self.name, before..size)?;
                let source = append(body, part, size - before, |bytes| report(before + bytes));
                let source = source.map_err(at(path))?;
                let after = part.metadata().map_err(at(path))?.len();
                if after >= size {
                    return Ok(());
                }
                if after == before || !joins {
                    let file = self.name.to_owned();
                    return Err(HubError::BrokeOff { file, bytes_done: after, bytes_total: size, source });
                }
            }
        })
    }
}

/// Appends a body to the file, one byte more than `most` at most, which is enough to see that it is too long. Returns how
/// the body ended; an error is the file's.
fn append(
    body: impl Iterator<Item = HFResult<impl AsRef<[u8]>>>,
    file: &mut File,
    most: u64,
    mut report: impl FnMut(u64),
) -> io::Result<Box<dyn Error + Send + Sync>> {
    let mut copied = 0;
    for piece in body {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return Ok(Box::new(error)),
        };
        let left = usize::try_from(most + 1 - copied).unwrap_or(usize::MAX);
        let bytes = &piece.as_ref()[..piece.as_ref().len().min(left)];
        file.write_all(bytes)?;
        copied += bytes.len() as u64;
        report(copied.min(most));
        if copied > most {
            break;
        }
    }
    Ok(io::Error::from(io::ErrorKind::UnexpectedEof).into())
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
