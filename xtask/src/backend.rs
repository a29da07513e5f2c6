//! The backends, and checks that this machine supports one, before a build of minutes.

use std::{
    env,
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

    /// Returns the features of embert-cli and embert-bench.
    pub(crate) fn features(self) -> &'static str {
        self.name()
    }

    /// Returns the name, also the value of `--device`.
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

    /// Returns the time of the first build, in words.
    pub(crate) fn first_build_time(self) -> &'static str {
        match self {
            Self::Cpu => "several minutes",
            Self::Cuda | Self::Wgpu => "ten minutes or more",
        }
    }

    /// Fails if this machine does not support the backend. The error lists the other backends.
    pub(crate) fn check(self) -> Result<(), String> {
        let problem = match self {
            Self::Cpu => None,
            Self::Cuda => cuda_problem(&CudaRequirements::detect()),
            Self::Wgpu => wgpu_problem(!cfg!(target_os = "linux") || library_exists("libvulkan.so.1")),
        };
        problem.map_or(Ok(()), |problem| Err(unsupported(self, &problem)))
    }
}

/// Fails if this machine lacks what the build and the kernels need, apart from a GPU and its driver.
pub(crate) fn check_cuda_toolkit() -> Result<(), String> {
    let cuda = CudaRequirements { device: true, library: true, ..CudaRequirements::detect() };
    cuda_problem(&cuda).map_or(Ok(()), Err)
}

/// Returns the path of libdevice of the CUDA toolkit.
pub(crate) fn libdevice() -> Option<PathBuf> {
    let toolkits = match env::var_os("CUDA_PATH") {
        Some(toolkit) => vec![PathBuf::from(toolkit)],
        None => CUDA_TOOLKITS.map(PathBuf::from).to_vec(),
    };
    toolkits.into_iter().map(|toolkit| toolkit.join(LIBDEVICE)).find(|path| path.is_file())
}

/// The path of libdevice in a toolkit.
pub(crate) const LIBDEVICE: &str = "nvvm/libdevice/libdevice.10.bc";

/// The requirements of Burn's CUDA backend.
struct CudaRequirements {
    platform: bool,
    device: bool,
    library: bool,
    libdevice: bool,
    cpp_compiler: bool,
}

impl CudaRequirements {
    fn detect() -> Self {
        Self {
            platform: cfg!(any(target_os = "linux", windows)),
            device: cfg!(windows) || NVIDIA_DEVICES.iter().any(|path| Path::new(path).exists()),
            library: library_exists(if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" }),
            libdevice: libdevice().is_some(),
            // On Windows, Rust's linker comes with a C++ compiler.
            cpp_compiler: cfg!(windows)
                || env::var_os("CXX").is_some()
                || CPP_COMPILERS.into_iter().any(is_on_path),
        }
    }
}

/// Files of the driver on a PC, on WSL and on a Jetson.
const NVIDIA_DEVICES: [&str; 4] = ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg", "/dev/nvmap"];
const CPP_COMPILERS: [&str; 3] = ["c++", "g++", "clang++"];
/// Burn's search path for the CUDA toolkit without CUDA_PATH.
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

fn cuda_problem(cuda: &CudaRequirements) -> Option<String> {
    let problem = match cuda {
        CudaRequirements { platform: false, .. } => "CUDA needs Linux or Windows",
        CudaRequirements { device: false, .. } => "no NVIDIA driver was found",
        CudaRequirements { library: false, .. } if cfg!(windows) => "no NVIDIA driver was found (nvcuda.dll)",
        CudaRequirements { library: false, .. } => {
            "the NVIDIA driver runs, but its library libcuda.so.1 was not found (start a container with the GPU, \
             as in `docker run --gpus all`)"
        }
        CudaRequirements { libdevice: false, .. } => {
            "nvvm/libdevice/libdevice.10.bc of the CUDA toolkit was not found, and the kernels need it at run \
             time: install the toolkit, or set CUDA_PATH to its folder"
        }
        CudaRequirements { cpp_compiler: false, .. } => {
            "no C++ compiler was found, and the build needs one: install g++ or set CXX"
        }
        _ => return None,
    };
    Some(problem.into())
}

fn wgpu_problem(loader: bool) -> Option<String> {
    (!loader).then(|| {
        "no Vulkan loader was found (libvulkan.so.1; on Debian and Ubuntu: apt install libvulkan1 \
         mesa-vulkan-drivers)"
            .into()
    })
}

fn unsupported(backend: Backend, problem: &str) -> String {
    let others: Vec<_> =
        Backend::ALL.into_iter().filter(|other| *other != backend).map(Backend::name).collect();
    let (name, others) = (backend.name(), others.join(" or --backend "));
    format!("this machine does not support the {name} backend: {problem}; or use --backend {others}")
}

fn library_exists(name: &str) -> bool {
    let searched = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders = env::split_paths(&searched).chain(LIBRARY_FOLDERS.map(PathBuf::from));
    folders.into_iter().any(|folder| folder.join(name).exists())
        || ldconfig().is_some_and(|cache| lists(&cache, name))
}

/// Returns the library cache of the Linux loader.
fn ldconfig() -> Option<String> {
    let programs = ["ldconfig", "/sbin/ldconfig"];
    let output = programs.iter().find_map(|program| Command::new(program).arg("-p").output().ok())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn lists(cache: &str, name: &str) -> bool {
    cache.lines().any(|line| line.split_whitespace().next() == Some(name))
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: CudaRequirements =
        CudaRequirements { platform: true, device: true, library: true, libdevice: true, cpp_compiler: true };

    #[cfg(not(windows))]
    #[test]
    fn a_missing_cuda_requirement_is_in_the_error() {
        let check = |cuda: CudaRequirements, expected: &str| {
            let problem = cuda_problem(&cuda).expect("something is missing");
            assert!(problem.contains(expected), "{problem}");
        };
        assert_eq!(cuda_problem(&READY), None);
        check(CudaRequirements { platform: false, ..READY }, "Linux or Windows");
        check(CudaRequirements { device: false, library: false, ..READY }, "no NVIDIA driver");
        check(CudaRequirements { library: false, ..READY }, "libcuda.so.1");
        check(CudaRequirements { libdevice: false, ..READY }, "CUDA_PATH");
        check(CudaRequirements { cpp_compiler: false, ..READY }, "C++ compiler");
    }

    #[test]
    fn the_error_lists_the_other_backends() {
        let message = unsupported(Backend::Cuda, "no NVIDIA driver was found");
        assert!(message.starts_with("this machine does not support the cuda backend: no NVIDIA driver"));
        assert!(message.ends_with("--backend cpu or --backend wgpu"));
    }

    #[test]
    fn library_names_match_exactly() {
        let cache =
            "2 libs found\n\tlibvulkan.so.1 (libc6,x86-64) => /usr/lib/libvulkan.so.1\n\tlibm.so.6 (libc6)\n";
        assert!(lists(cache, "libvulkan.so.1"));
        assert!(!lists(cache, "libvulkan.so"));
        assert!(!lists(cache, "libcuda.so.1"));
    }
}
