//! A Vulkan driver to test the wgpu backend with: the machine's own, or SwiftShader, which computes on the CPU.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

use crate::backend::Backend;

/// Where drivers are registered.
const FOLDERS: [&str; 3] = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
/// What a GPU is reached by.
const GPUS: [&str; 3] = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"];
/// Debian's package chromium-common brings it.
const SWIFTSHADER: &str = "/usr/lib/chromium/vk_swiftshader_icd.json";

/// How the tests come to a driver.
#[derive(Debug, PartialEq)]
pub(crate) enum Driver {
    /// The loader finds it.
    Own,
    /// The loader must be told of this file.
    SwiftShader(PathBuf),
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "this machine's driver",
            Self::SwiftShader(_) => "SwiftShader, which computes on the CPU",
        })
    }
}

/// The driver of this machine, or why there is none.
pub(crate) fn driver() -> Result<Driver, String> {
    Backend::Wgpu.check()?;
    let is_told = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].into_iter().any(|name| env::var_os(name).is_some());
    let has_gpu = !cfg!(target_os = "linux") || GPUS.iter().any(|path| Path::new(path).exists());
    choose(is_told, has_gpu, &FOLDERS.map(Path::new), Path::new(SWIFTSHADER))
}

/// A driver without its GPU is worth less than SwiftShader.
fn choose(is_told: bool, has_gpu: bool, folders: &[&Path], swiftshader: &Path) -> Result<Driver, String> {
    let is_registered = cfg!(not(target_os = "linux")) || folders.iter().any(|folder| holds_drivers(folder));
    if is_told || has_gpu && is_registered {
        Ok(Driver::Own)
    } else if swiftshader.is_file() {
        Ok(Driver::SwiftShader(swiftshader.into()))
    } else if is_registered {
        Ok(Driver::Own)
    } else {
        Err("no Vulkan driver was found (on Debian: apt install chromium-common brings SwiftShader)".into())
    }
}

fn holds_drivers(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().extension().is_some_and(|extension| extension == "json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

    #[test]
    fn the_driver_that_was_named_comes_first() {
        assert_eq!(choose(true, false, &[], Path::new(MANIFEST)), Ok(Driver::Own));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_gpu_swiftshader_is_taken() {
        let (nowhere, manifest) = (Path::new("/nowhere"), Path::new(MANIFEST));
        for has_gpu in [false, true] {
            assert_eq!(
                choose(false, has_gpu, &[nowhere], manifest),
                Ok(Driver::SwiftShader(manifest.into()))
            );
        }
        assert!(choose(false, true, &[nowhere], nowhere).unwrap_err().contains("no Vulkan driver"));
    }
}
