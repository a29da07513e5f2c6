//! Compiles a translation with the C compiler of the system and loads it.

use std::ffi::{CString, c_void};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::settings;

/// Only an explicit `fma` fuses, signed integers wrap, and memory has no types.
const FLAGS: [&str; 12] = [
    "-std=gnu17",
    "-O1",
    "-march=native",
    "-shared",
    "-fPIC",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-strict-aliasing",
    "-fwrapv",
    "-w",
    "-Wl,-Bsymbolic",
];

/// A translation that cannot be compiled or loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompileError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("`cc` cannot be started: {0}; emulation needs a C compiler")]
    Compiler(io::Error),
    #[error("`cc` fails for {path}:\n{text}")]
    Source { path: PathBuf, text: String },
    #[error("{path} cannot be loaded: {text}")]
    Load { path: PathBuf, text: String },
}

/// A loaded translation. It stays loaded until the process ends.
pub(crate) struct Library(*mut c_void);

// SAFETY: the handle of a library can be used from any thread.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

impl Library {
    /// The address of an exported function or variable.
    pub(crate) fn symbol(&self, name: &str) -> Option<*mut c_void> {
        let name = CString::new(name).ok()?;
        // SAFETY: the handle is of a library that is never closed, and the name ends with 0.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        (!address.is_null()).then_some(address)
    }
}

/// Compiles `source`, or finds it in the cache, and loads it.
pub(crate) fn compile(source: &str) -> Result<Library, CompileError> {
    let name = format!("{:016x}", hash(&[source.as_bytes(), FLAGS.concat().as_bytes(), &processor()]));
    let cache = settings::get().cache.as_deref();
    let folder = cache.map_or_else(temporary, Path::to_owned);
    let library = folder.join(format!("{name}.so"));
    if !library.exists() {
        build(source, &folder, &name, &library)?;
    }
    let loaded = load(&library);
    if cache.is_none() {
        // The loaded code does not need the file.
        let _ = fs::remove_file(&library);
        let _ = fs::remove_dir(&folder);
    }
    loaded
}

/// A folder for one module.
fn temporary() -> PathBuf {
    std::env::temp_dir().join(format!("embert-standin-{}-{}", std::process::id(), number()))
}

/// A number that no other build of this process has.
fn number() -> u32 {
    static BUILDS: AtomicU32 = AtomicU32::new(0);
    BUILDS.fetch_add(1, Ordering::Relaxed)
}

/// Compiles beside the target and renames, so that processes can share a cache.
fn build(source: &str, folder: &Path, name: &str, library: &Path) -> Result<(), CompileError> {
    let stem = folder.join(format!("{name}-{}-{}", std::process::id(), number()));
    let (text, object) = (stem.with_extension("c"), stem.with_extension("tmp"));
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| CompileError::File { path, source }
    };
    fs::create_dir_all(folder).map_err(file(folder))?;
    fs::write(&text, source).map_err(file(&text))?;
    let output = Command::new("cc").args(FLAGS).arg("-o").arg(&object).arg(&text).arg("-lm").output();
    let output = output.map_err(CompileError::Compiler)?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let text_of_errors = errors.lines().take(20).collect::<Vec<_>>().join("\n");
        return Err(CompileError::Source { path: text, text: text_of_errors });
    }
    fs::rename(&object, library).map_err(file(library))?;
    fs::remove_file(&text).map_err(file(&text))
}

fn load(path: &Path) -> Result<Library, CompileError> {
    let name = CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
    // SAFETY: the name ends with 0. The library is a translation, which runs no code when it is loaded.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if !handle.is_null() {
        return Ok(Library(handle));
    }
    // SAFETY: after a failure of dlopen on this thread, dlerror returns a text that ends with 0.
    let text = unsafe { std::ffi::CStr::from_ptr(libc::dlerror()) }.to_string_lossy().into_owned();
    Err(CompileError::Load { path: path.to_owned(), text })
}

/// The features of the processor, because the code is for this one.
fn processor() -> Vec<u8> {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines().find(|line| line.starts_with("flags")).unwrap_or_default().as_bytes().to_vec()
}

/// FNV-1a, 64 bits.
pub(crate) fn hash(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
