//! Finds a Vulkan driver for tests of the wgpu backend: the machine's driver, or SwiftShader, which runs on the CPU.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

use crate::backend::Backend;

/// The folders of registered drivers.
const FOLDERS: [&str; 3] = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
/// The device files of GPUs.
const GPUS: [&str; 3] = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"];
/// The path in Debian's package chromium-common.
const SWIFTSHADER: &str = "/usr/lib/chromium/vk_swiftshader_icd.json";

/// The driver of the tests.
#[derive(Debug, PartialEq)]
pub(crate) enum Driver {
    /// The loader finds the driver.
    System,
    /// The loader needs the path of this file.
    SwiftShader(PathBuf),
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "this machine's driver",
            Self::SwiftShader(_) => "SwiftShader, which runs on the CPU",
        })
    }
}

/// Returns the driver of this machine.
pub(crate) fn driver() -> Result<Driver, String> {
    Backend::Wgpu.check()?;
    let is_configured =
        ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].into_iter().any(|name| env::var_os(name).is_some());
    let has_gpu = !cfg!(target_os = "linux") || GPUS.iter().any(|path| Path::new(path).exists());
    choose(is_configured, has_gpu, &FOLDERS.map(Path::new), Path::new(SWIFTSHADER))
}

/// Prefers SwiftShader to a driver without a GPU.
fn choose(
    is_configured: bool,
    has_gpu: bool,
    folders: &[&Path],
    swiftshader: &Path,
) -> Result<Driver, String> {
    let is_registered = cfg!(not(target_os = "linux")) || folders.iter().any(|folder| has_drivers(folder));
    if is_configured || has_gpu && is_registered {
        Ok(Driver::System)
    } else if swiftshader.is_file() {
        Ok(Driver::SwiftShader(swiftshader.into()))
    } else if is_registered {
        Ok(Driver::System)
    } else {
        Err("no Vulkan driver was found (on Debian, `apt install chromium-common` installs SwiftShader)"
            .into())
    }
}

fn has_drivers(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().extension().is_some_and(|extension| extension == "json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

    #[test]
    fn a_configured_driver_comes_first() {
        assert_eq!(choose(true, false, &[], Path::new(MANIFEST)), Ok(Driver::System));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_gpu_the_driver_is_swiftshader() {
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
