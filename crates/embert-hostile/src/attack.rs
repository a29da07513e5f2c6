//! The judge: a reader is given one hostile file after another and may refuse or read each, and nothing else.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ALLOCATED;

/// No small file may keep a reader for longer.
const MOST_TIME: Duration = Duration::from_secs(10);

/// Files above this say how memory grows with them.
const SOME_SIZE: usize = 1 << 16;

/// Attacks come one at a time: memory is counted for the whole process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The most memory that reading may take beyond what the process has: `times` the bytes of all files in the folder, and
/// `plus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryBound {
    /// Bytes of memory for each byte of the files.
    pub times: usize,
    /// Bytes of memory whatever the files hold.
    pub plus: usize,
}

impl Default for MemoryBound {
    /// A JSON value of two bytes (`0,`) takes 72 bytes in memory; the list that it is in has room for twice as many and,
    /// while it grows, is there one and a half times: 108 for each byte.
    fn default() -> Self {
        Self { times: 128, plus: 8 << 20 }
    }
}

/// What reads a file. An error is told as people see it.
type Reader<'a> = Box<dyn Fn(&Path) -> Result<(), String> + 'a>;

/// An attack on the reader of one kind of file.
pub struct Attack<'a> {
    path: PathBuf,
    read: Reader<'a>,
    bound: MemoryBound,
    files: usize,
    mutations: usize,
    refused: usize,
    /// Bytes of memory for each byte of files of some size, in the worst case so far.
    most_times: usize,
    _alone: MutexGuard<'static, ()>,
}

impl<'a> Attack<'a> {
    /// An attack through the file at `path`, which is written again and again; `read` gets the same path. Files beside it
    /// stay as they are.
    pub fn new<E: ToString>(path: impl Into<PathBuf>, read: impl Fn(&Path) -> Result<(), E> + 'a) -> Self {
        Self {
            path: path.into(),
            read: Box::new(move |path| read(path).map_err(|error| error.to_string())),
            bound: MemoryBound::default(),
            files: 0,
            mutations: 0,
            refused: 0,
            most_times: 0,
            _alone: ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The same with another bound of memory.
    pub fn within(mut self, bound: MemoryBound) -> Self {
        self.bound = bound;
        self
    }

    /// Has one file of the corpus read, and gives the error that it ended in.
    ///
    /// # Panics
    /// If reading it panics, takes too much memory or time, or ends in an error that does not say where.
    #[track_caller]
    pub fn file(&mut self, what: &str, content: impl AsRef<[u8]>) -> Result<(), String> {
        self.files += 1;
        self.judge(what, content.as_ref())
    }

    /// Has one file of the corpus read, which must be refused, and gives the error.
    ///
    /// # Panics
    /// As [`file`](Self::file), and if it was read.
    #[track_caller]
    pub fn refused(&mut self, what: &str, content: impl AsRef<[u8]>) -> String {
        match self.file(what, content) {
            Err(error) => error,
            Ok(()) => panic!("{what}: this must be refused"),
        }
    }

    /// Has damaged copies of a file read.
    ///
    /// # Panics
    /// As [`file`](Self::file).
    #[track_caller]
    pub fn mutations(&mut self, cases: impl IntoIterator<Item = (String, impl AsRef<[u8]>)>) {
        for (what, content) in cases {
            self.mutations += 1;
            let _ = self.judge(&what, content.as_ref());
        }
    }

    /// What was done, in one line.
    ///
    /// # Panics
    /// If it was less than promised.
    #[track_caller]
    pub fn finish(self, files: usize, mutations: usize) -> String {
        let Self { files: found, mutations: mutated, refused, .. } = self;
        let done = format!(
            "hostile: {}: {found} files, {mutated} mutations, {refused} refused, 0 panics; at most {} bytes of memory for \
             each byte",
            self.name(),
            self.most_times
        );
        assert!(
            found >= files && mutated >= mutations,
            "{done}: {files} files and {mutations} mutations are promised"
        );
        done
    }

    #[track_caller]
    fn judge(&mut self, what: &str, content: &[u8]) -> Result<(), String> {
        let _ = fs::remove_file(&self.path); // a file that is only cut to nothing is flushed to the disk first
        fs::write(&self.path, content).expect("tests can write");
        let bytes = self.bytes_in_folder();
        let most = self.bound.times * bytes + self.bound.plus;
        let (begin, before) = (Instant::now(), ALLOCATED.current_usage());
        ALLOCATED.reset_peak_usage();
        let result = quietly(|| (self.read)(&self.path));
        let (taken, seconds) = (ALLOCATED.peak_usage().saturating_sub(before), begin.elapsed());
        let result = result.unwrap_or_else(|panic| self.fail(what, &panic));
        if bytes > SOME_SIZE {
            self.most_times = self.most_times.max(taken / bytes);
        }
        if taken > most {
            self.fail(what, &format!("{taken} bytes of memory, of at most {most}"));
        }
        if seconds > MOST_TIME {
            self.fail(what, &format!("it took {seconds:?}"));
        }
        if let Err(error) = &result {
            self.refused += 1;
            if !error.contains(&*self.folder().to_string_lossy()) {
                self.fail(what, &format!("the error does not name the file: {error}"));
            }
        }
        result
    }

    /// Fails the test, and keeps the file.
    #[track_caller]
    fn fail(&self, what: &str, why: &str) -> ! {
        let kept = std::env::temp_dir().join(format!("hostile-{}", self.name()));
        let kept = match fs::copy(&self.path, &kept) {
            Ok(_) => kept.display().to_string(),
            Err(error) => format!("nowhere: {error}"),
        };
        panic!("{}: {what}: {why}; the file is kept in {kept}", self.name());
    }

    fn bytes_in_folder(&self) -> usize {
        let files = fs::read_dir(self.folder()).expect("the folder of the test is there");
        files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len() as usize)).sum()
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// What `read` returns, or what it panicked with. Panics that it catches itself are not printed: that would take time, and
/// memory for a backtrace.
fn quietly<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    static LAST: Mutex<String> = Mutex::new(String::new());
    let loud = take_hook();
    set_hook(Box::new(|panic| *LAST.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string()));
    let result = catch_unwind(AssertUnwindSafe(read));
    set_hook(loud);
    result.map_err(|_| LAST.lock().unwrap_or_else(PoisonError::into_inner).clone())
}
