//! The settings, from `EMBERT_STANDIN_` environment variables.

use std::path::PathBuf;
use std::sync::OnceLock;

/// What the stand-in does.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file that the record is appended to.
    pub log: Option<PathBuf>,
    /// The folder that gets the PTX of each module.
    pub ptx: Option<PathBuf>,
    /// Computes kernels.
    pub emulate: bool,
    /// The number of devices.
    pub devices: i32,
    /// The memory of a device in bytes.
    pub memory: usize,
    /// The folder that keeps compiled kernels.
    pub cache: Option<PathBuf>,
    /// The version of the driver, such as 13000 for CUDA 13.0.
    pub version: i32,
    /// The threads of the system that compute.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            log: None,
            ptx: None,
            emulate: false,
            devices: 1,
            memory: 143_771 << 20, // an H200's
            cache: None,
            version: 13000,
            // Each worker has the stacks of 1024 threads, and the system limits the number of mappings.
            threads: std::thread::available_parallelism().map_or(1, usize::from).min(16),
        }
    }
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

/// Sets the settings instead of the environment. Returns whether nothing had used settings before.
pub fn set(settings: Settings) -> bool {
    SETTINGS.set(settings).is_ok()
}

pub(crate) fn get() -> &'static Settings {
    SETTINGS.get_or_init(from_environment)
}

fn from_environment() -> Settings {
    let text =
        |name: &str| std::env::var_os(format!("EMBERT_STANDIN_{name}")).filter(|value| !value.is_empty());
    let path = |name| text(name).map(PathBuf::from);
    let number = |name| text(name).and_then(|value| value.to_str()?.parse::<usize>().ok());
    let default = Settings::default();
    Settings {
        log: path("LOG"),
        ptx: path("PTX"),
        emulate: text("EMULATE").is_some_and(|value| value != "0"),
        devices: number("DEVICES").map_or(default.devices, |devices| devices as i32),
        memory: number("MEMORY_MIB").map_or(default.memory, |mebibytes| mebibytes << 20),
        cache: path("CACHE"),
        version: number("VERSION").map_or(default.version, |version| version as i32),
        threads: number("THREADS").map_or(default.threads, |threads| threads.max(1)),
    }
}
