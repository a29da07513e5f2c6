//! Keeps compiled and tuned GPU kernels in the user's cache folder, for later processes.

use std::env;
use std::path::{Path, PathBuf};

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
use serde_json::json;

/// Keeps compiled kernels and the results of tuning in the folder `embert/VERSION` of the user's cache folder.
///
/// Without it, CubeCL compiles every kernel again in each process. A program calls this at its start: it has no effect
/// after the first use of a GPU. A `cubecl.toml`, or a `burn.toml` with a section `cubecl`, in the current folder or
/// its parents replaces these settings; the variables `CUBECL_*` override them. If the folder cannot be written, CubeCL
/// keeps the kernels in memory. Only Burn's feature `persistence` writes files.
///
/// CubeCL stores a kernel under the build id that the linker gave to its program, so another build never loads it. Without
/// build ids (GNU ld and LLVM's lld outside gcc, unless `--build-id` is passed), call this only in released versions.
pub fn keep_compiled_kernels() {
    if !env::current_dir().is_ok_and(|folder| is_configured(&folder)) {
        CubeClRuntimeConfig::try_set(config(folder()).override_from_env());
    }
}

/// Returns `embert/VERSION` in the user's cache folder: in `XDG_CACHE_HOME` or `~/.cache`, on Windows in `LocalAppData`.
fn folder() -> PathBuf {
    // `Global` is the folder `cubecl` in the user's cache folder. Without one, it is in the temporary folder.
    CacheConfig::Global.root().with_file_name("embert").join(env!("CARGO_PKG_VERSION"))
}

fn config(folder: PathBuf) -> CubeClRuntimeConfig {
    // As in a file, because the field exists only with the feature `persistence`.
    let cached = json!({ "compilation": { "cache": true } });
    let mut config: CubeClRuntimeConfig =
        serde_json::from_value(cached).expect("all other fields have defaults");
    config.environment.path = CacheConfig::Directory(folder);
    config
}

/// Returns true if CubeCL finds a file with settings in `folder` or its parents.
fn is_configured(folder: &Path) -> bool {
    let whole = |folder: &Path| {
        let mut names = CubeClRuntimeConfig::file_names().iter();
        names.any(|name| CubeClRuntimeConfig::from_file_path(folder.join(name)).is_ok())
    };
    let section = |folder: &Path| {
        let mut names = CubeClRuntimeConfig::section_file_names().iter();
        names.any(|(name, key)| CubeClRuntimeConfig::from_section_file_path(folder.join(name), key).is_ok())
    };
    folder.ancestors().any(|folder| whole(folder) || section(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn kernels_are_kept_in_a_folder_of_this_version() {
        assert!(folder().ends_with(concat!("embert/", env!("CARGO_PKG_VERSION"))), "{}", folder().display());
        let config = serde_json::to_value(config("/cache/embert".into())).unwrap();
        assert_eq!(config["environment"]["path"]["directory"], "/cache/embert");
        assert!(config["compilation"].get("cache").is_none_or(|cache| cache == true), "{config}");
    }

    #[test]
    fn a_file_with_settings_of_the_user_wins() {
        let check = |name: &str, text: &str, expected: bool| {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(name), text).unwrap();
            let child = folder.path().join("child");
            fs::create_dir(&child).unwrap();
            assert_eq!(is_configured(&child), expected, "{name}: {text}");
        };
        check("cubecl.toml", "[compilation]\ncache = false\n", true);
        check("burn.toml", "[cubecl.autotune]\nlevel = \"full\"\n", true);
        check("burn.toml", "[fusion]\n", false);
        check("other.toml", "[compilation]\n", false);
    }
}
