//! Which backend to build, and whether this machine can use it: asked before minutes go into the build.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Cpu,
    Cuda,
    Wgpu,
}

impl Backend {
    pub(crate) const ALL: [Self; 3] = [Self::Cpu, Self::Cuda, Self::Wgpu];

    /// The features of embert-cli and embert-bench.
    pub(crate) fn features(self) -> &'static str {
        match self {
            Self::Wgpu => "vulkan", // wgpu, with the faster of its two compilers
            other => other.name(),
        }
    }

    /// Also the value of `--device`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Wgpu => "wgpu",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.name() == name)
    }

    /// How long everything takes to compile, in words.
    pub(crate) fn first_build(self) -> &'static str {
        match self {
            Self::Cpu => "several minutes",
            Self::Cuda | Self::Wgpu => "ten minutes or more",
        }
    }

    /// Says why this machine cannot use the backend, and which others there are.
    pub(crate) fn check(self) -> Result<(), String> {
        let trouble = match self {
            Self::Cpu => None,
            Self::Cuda => cuda_trouble(&Cuda::look()),
            Self::Wgpu => wgpu_trouble(!cfg!(target_os = "linux") || library_is_there("libvulkan.so.1")),
        };
        trouble.map_or(Ok(()), |trouble| Err(refusal(self, &trouble)))
    }
}

/// What Burn's CUDA backend needs of a machine.
struct Cuda {
    platform: bool,
    device: bool,
    library: bool,
    libdevice: bool,
    cpp_compiler: bool,
}

impl Cuda {
    fn look() -> Self {
        Self {
            platform: cfg!(any(target_os = "linux", windows)),
            device: cfg!(windows) || NVIDIA_DEVICES.iter().any(|path| Path::new(path).exists()),
            library: library_is_there(if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" }),
            libdevice: libdevice_is_there(),
            // On Windows the compiler that Rust links with is the C++ compiler too.
            cpp_compiler: cfg!(windows)
                || env::var_os("CXX").is_some()
                || CPP_COMPILERS.into_iter().any(is_on_path),
        }
    }
}

/// The driver of a PC, of WSL and of a Jetson.
const NVIDIA_DEVICES: [&str; 4] = ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg", "/dev/nvmap"];
const CPP_COMPILERS: [&str; 3] = ["c++", "g++", "clang++"];
/// Where Burn looks for a CUDA toolkit when CUDA_PATH is not set.
const CUDA_TOOLKITS: [&str; 4] = ["/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda", "/usr"];
const LIBRARY_FOLDERS: [&str; 8] = [
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/run/opengl-driver/lib", // NixOS
    "/usr/lib/wsl/lib",
    "C:\\Windows\\System32",
];

fn cuda_trouble(cuda: &Cuda) -> Option<String> {
    let trouble = match cuda {
        Cuda { platform: false, .. } => "CUDA exists on Linux and Windows only",
        Cuda { device: false, .. } => "no NVIDIA driver was found",
        Cuda { library: false, .. } if cfg!(windows) => "no NVIDIA driver was found (nvcuda.dll)",
        Cuda { library: false, .. } => {
            "the NVIDIA driver runs, but its library libcuda.so.1 was not found (a container must be started \
             with the GPU, as in `docker run --gpus all`)"
        }
        Cuda { libdevice: false, .. } => {
            "the CUDA toolkit's nvvm/libdevice/libdevice.10.bc was not found, which the kernels need at run \
             time: install the toolkit, or set CUDA_PATH to where it is"
        }
        Cuda { cpp_compiler: false, .. } => {
            "its build needs a C++ compiler, and none was found: install g++ or set CXX"
        }
        _ => return None,
    };
    Some(trouble.into())
}

fn wgpu_trouble(loader: bool) -> Option<String> {
    (!loader).then(|| {
        "no Vulkan loader was found (libvulkan.so.1; on Debian and Ubuntu: apt install libvulkan1 \
         mesa-vulkan-drivers)"
            .into()
    })
}

fn refusal(backend: Backend, trouble: &str) -> String {
    let others: Vec<_> =
        Backend::ALL.into_iter().filter(|other| *other != backend).map(Backend::name).collect();
    let (name, others) = (backend.name(), others.join(" or --backend "));
    format!("the {name} backend cannot be used on this machine: {trouble}; there are also --backend {others}")
}

fn library_is_there(name: &str) -> bool {
    let searched = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders = env::split_paths(&searched).chain(LIBRARY_FOLDERS.map(PathBuf::from));
    folders.into_iter().any(|folder| folder.join(name).exists())
        || ldconfig().is_some_and(|cache| lists(&cache, name))
}

/// The loader's cache, on Linux.
fn ldconfig() -> Option<String> {
    let programs = ["ldconfig", "/sbin/ldconfig"];
    let output = programs.iter().find_map(|program| Command::new(program).arg("-p").output().ok())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn lists(cache: &str, name: &str) -> bool {
    cache.lines().any(|line| line.split_whitespace().next() == Some(name))
}

fn libdevice_is_there() -> bool {
    let has_it = |toolkit: &Path| fs::metadata(toolkit.join("nvvm/libdevice/libdevice.10.bc")).is_ok();
    match env::var_os("CUDA_PATH") {
        Some(toolkit) => has_it(Path::new(&toolkit)),
        None => CUDA_TOOLKITS.iter().any(|toolkit| has_it(Path::new(toolkit))),
    }
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: Cuda =
        Cuda { platform: true, device: true, library: true, libdevice: true, cpp_compiler: true };

    #[cfg(not(windows))]
    #[test]
    fn what_cuda_lacks_is_named() {
        let check = |cuda: Cuda, expected: &str| {
            let trouble = cuda_trouble(&cuda).expect("something is missing");
            assert!(trouble.contains(expected), "{trouble}");
        };
        assert_eq!(cuda_trouble(&READY), None);
        check(Cuda { platform: false, ..READY }, "Linux and Windows only");
        check(Cuda { device: false, library: false, ..READY }, "no NVIDIA driver");
        check(Cuda { library: false, ..READY }, "libcuda.so.1");
        check(Cuda { libdevice: false, ..READY }, "CUDA_PATH");
        check(Cuda { cpp_compiler: false, ..READY }, "C++ compiler");
    }

    #[test]
    fn a_refusal_names_the_other_backends() {
        let message = refusal(Backend::Cuda, "no NVIDIA driver was found");
        assert!(message.starts_with("the cuda backend cannot be used on this machine: no NVIDIA driver"));
        assert!(message.ends_with("--backend cpu or --backend wgpu"));
    }

    #[test]
    fn the_loaders_cache_is_read_by_whole_names() {
        let cache =
            "2 libs found\n\tlibvulkan.so.1 (libc6,x86-64) => /usr/lib/libvulkan.so.1\n\tlibm.so.6 (libc6)\n";
        assert!(lists(cache, "libvulkan.so.1"));
        assert!(!lists(cache, "libvulkan.so"));
        assert!(!lists(cache, "libcuda.so.1"));
    }
}
