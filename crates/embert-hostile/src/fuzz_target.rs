//! Runs a reader on malformed files and checks for panics, memory, time and error messages.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ALLOCATED;

/// Maximum time for one file.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Minimum size of files in bytes for the measurement of memory per byte.
const MIN_MEASURED_SIZE: usize = 1 << 16;

/// Only one target runs at a time, because memory is counted for the process.
static MEMORY_LOCK: Mutex<()> = Mutex::new(());

/// Maximum additional memory of a reader: `times` · bytes of all files in the folder + `plus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryBound {
    /// Bytes of memory per byte of the files.
    pub times: usize,
    /// Bytes of memory that are always allowed.
    pub plus: usize,
}

impl Default for MemoryBound {
    /// 128 bytes per byte, plus 8 MiB.
    ///
    /// JSON needs 108: a value of two bytes (`0,`) takes 72 bytes in memory, and a growing list exists one and a half
    /// times, with room for twice its values.
    fn default() -> Self {
        Self { times: 128, plus: 8 << 20 }
    }
}

/// The function that reads a file. Its error is the message for the user.
type Reader<'a> = Box<dyn Fn(&Path) -> Result<(), String> + 'a>;

/// A reader under test, and the counts of its files.
pub struct FuzzTarget<'a> {
    path: PathBuf,
    read: Reader<'a>,
    bound: MemoryBound,
    files: usize,
    mutations: usize,
    refused: usize,
    /// Maximum bytes of memory per byte of the files so far.
    max_times: usize,
    _lock: MutexGuard<'static, ()>,
}

impl<'a> FuzzTarget<'a> {
    /// Creates a target that writes each file to `path` and calls `read` with that path.
    ///
    /// Other files in the folder do not change. Their bytes count for the memory bound.
    pub fn new<E: ToString>(path: impl Into<PathBuf>, read: impl Fn(&Path) -> Result<(), E> + 'a) -> Self {
        Self {
            path: path.into(),
            read: Box::new(move |path| read(path).map_err(|error| error.to_string())),
            bound: MemoryBound::default(),
            files: 0,
            mutations: 0,
            refused: 0,
            max_times: 0,
            _lock: MEMORY_LOCK.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Sets the memory bound.
    pub fn within(mut self, bound: MemoryBound) -> Self {
        self.bound = bound;
        self
    }

    /// Runs the reader on one file of the corpus.
    ///
    /// # Errors
    ///
    /// The error of the reader.
    ///
    /// # Panics
    ///
    /// Panics if the reader panics, needs too much memory or time, or returns an error that does not name the file.
    #[track_caller]
    pub fn file(&mut self, what: &str, content: impl AsRef<[u8]>) -> Result<(), String> {
        self.files += 1;
        self.run(what, content.as_ref())
    }

    /// Runs the reader on one file that it must reject, and returns the error message.
    ///
    /// # Panics
    ///
    /// As [`file`](Self::file), and if the reader accepts the file.
    #[track_caller]
    pub fn refused(&mut self, what: &str, content: impl AsRef<[u8]>) -> String {
        match self.file(what, content) {
            Err(error) => error,
            Ok(()) => panic!("{what}: the reader must reject this file"),
        }
    }

    /// Runs the reader on mutated files, each with its description.
    ///
    /// # Panics
    ///
    /// As [`file`](Self::file).
    #[track_caller]
    pub fn mutations(&mut self, cases: impl IntoIterator<Item = (String, impl AsRef<[u8]>)>) {
        for (what, content) in cases {
            self.mutations += 1;
            let _ = self.run(&what, content.as_ref());
        }
    }

    /// Returns a summary in one line.
    ///
    /// # Panics
    ///
    /// Panics if there were fewer files or mutations than these.
    #[track_caller]
    pub fn finish(self, files: usize, mutations: usize) -> String {
        let Self { files: found, mutations: mutated, refused, .. } = self;
        let summary = format!(
            "hostile: {}: {found} files, {mutated} mutations, {refused} rejected, 0 panics; at most {} bytes of memory \
             per byte",
            self.name(),
            self.max_times
        );
        assert!(
            found >= files && mutated >= mutations,
            "{summary}: expected at least {files} files and {mutations} mutations"
        );
        summary
    }

    #[track_caller]
    fn run(&mut self, what: &str, content: &[u8]) -> Result<(), String> {
        let _ = fs::remove_file(&self.path); // truncating an existing file would flush it to the disk, which is slow
        fs::write(&self.path, content).expect("tests can write");
        let bytes = self.bytes_in_folder();
        let limit = self.bound.times * bytes + self.bound.plus;
        let (begin, before) = (Instant::now(), ALLOCATED.current_usage());
        ALLOCATED.reset_peak_usage();
        let result = without_panic_output(|| (self.read)(&self.path));
        let (memory, time) = (ALLOCATED.peak_usage().saturating_sub(before), begin.elapsed());
        let result = result.unwrap_or_else(|panic| self.fail(what, &panic));
        if bytes > MIN_MEASURED_SIZE {
            self.max_times = self.max_times.max(memory / bytes);
        }
        if memory > limit {
            self.fail(what, &format!("the reader used {memory} bytes of memory, more than {limit}"));
        }
        if time > MAX_TIME {
            self.fail(what, &format!("the reader took {time:?}"));
        }
        if let Err(error) = &result {
            self.refused += 1;
            if !error.contains(&*self.folder().to_string_lossy()) {
                self.fail(what, &format!("the error does not name the file: {error}"));
            }
        }
        result
    }

    /// Fails the test and keeps the file.
    #[track_caller]
    fn fail(&self, what: &str, why: &str) -> ! {
        let kept = std::env::temp_dir().join(format!("hostile-{}", self.name()));
        let kept = match fs::copy(&self.path, &kept) {
            Ok(_) => kept.display().to_string(),
            Err(error) => format!("not kept: {error}"),
        };
        panic!("{}: {what}: {why}; the file: {kept}", self.name());
    }

    fn bytes_in_folder(&self) -> usize {
        let files = fs::read_dir(self.folder()).expect("the folder of the test exists");
        files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len() as usize)).sum()
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Returns the result of `read`, or the message of its panic.
///
/// Silences panic messages, because a backtrace needs time and memory.
fn without_panic_output<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    static LAST: Mutex<String> = Mutex::new(String::new());
    let hook = take_hook();
    set_hook(Box::new(|panic| *LAST.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string()));
    let result = catch_unwind(AssertUnwindSafe(read));
    set_hook(hook);
    result.map_err(|_| LAST.lock().unwrap_or_else(PoisonError::into_inner).clone())
}
