//! A Vulkan driver to test the wgpu backend with: the machine's own, or SwiftShader, which computes on the CPU.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::backend::Backend;

/// Where drivers are registered.
const FOLDERS: [&str; 3] = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
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

/// The driver of this machine, or why there is none.
pub(crate) fn driver() -> Result<Driver, String> {
    Backend::Wgpu.check()?;
    let is_told = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].into_iter().any(|name| env::var_os(name).is_some());
    choose(is_told || !cfg!(target_os = "linux"), &FOLDERS.map(Path::new), Path::new(SWIFTSHADER))
}

fn choose(is_told: bool, folders: &[&Path], swiftshader: &Path) -> Result<Driver, String> {
    if is_told || folders.iter().any(|folder| holds_drivers(folder)) {
        return Ok(Driver::Own);
    }
    match swiftshader.is_file() {
        true => Ok(Driver::SwiftShader(swiftshader.into())),
        false => {
            Err("no Vulkan driver was found (on Debian: apt install chromium-common brings SwiftShader)"
                .into())
        }
    }
}

fn holds_drivers(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().extension().is_some_and(|extension| extension == "json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_driver_comes_first() {
        let nowhere = Path::new("/nowhere");
        let manifest = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        assert_eq!(choose(true, &[], nowhere), Ok(Driver::Own));
        assert_eq!(choose(false, &[nowhere], manifest), Ok(Driver::SwiftShader(manifest.into())));
        assert!(choose(false, &[nowhere], nowhere).unwrap_err().contains("no Vulkan driver"));
    }
}
