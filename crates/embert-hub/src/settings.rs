//! Settings of the Hub client: address, cache folder, token and offline mode.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::address::without_userinfo;

/// Settings of the Hub client: address, cache folder, token and offline mode.
#[derive(Clone, PartialEq, Eq)]
pub struct HubSettings {
    /// The address of the Hub without a trailing slash, such as `https://huggingface.co`.
    pub endpoint: String,
    /// The cache folder, such as `~/.cache/huggingface/hub`.
    pub cache: PathBuf,
    /// The access token, for private and gated repositories.
    pub token: Option<String>,
    /// If true, no request is made, and files that are not in the cache are an error.
    pub offline: bool,
}

impl HubSettings {
    /// Creates settings from environment variables, with the names and meanings of `huggingface_hub`.
    ///
    /// Pass `|name| std::env::var(name).ok()`. An empty variable counts as unset.
    ///
    /// - cache: `HF_HUB_CACHE`, else `HF_HOME/hub`. The default of `HF_HOME` is `XDG_CACHE_HOME/huggingface`,
    ///   else `~/.cache/huggingface`. Without a home folder (`HOME` or `USERPROFILE`) it is
    ///   `.cache/huggingface` in the current folder.
    /// - token: `HF_TOKEN`, else the content of the file `HF_TOKEN_PATH` or `HF_HOME/token`.
    /// - endpoint: `HF_ENDPOINT`, else `https://huggingface.co`.
    /// - offline: `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE` or `HF_DATASETS_OFFLINE` is `1`, `true`, `yes` or
    ///   `on`, in upper or lower case.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let home = variable("HOME").or_else(|| variable("USERPROFILE"));
        let folder = |name: &str| variable(name).map(|path| expand_home(&path, home.as_deref()));

        let hf_home = folder("HF_HOME").unwrap_or_else(|| {
            folder("XDG_CACHE_HOME")
                .unwrap_or_else(|| Path::new(home.as_deref().unwrap_or("")).join(".cache"))
                .join("huggingface")
        });
        let token_file = folder("HF_TOKEN_PATH").unwrap_or_else(|| hf_home.join("token"));
        Self {
            endpoint: variable("HF_ENDPOINT")
                .unwrap_or_else(|| "https://huggingface.co".to_owned())
                .trim_end_matches('/')
                .to_owned(),
            cache: folder("HF_HUB_CACHE").unwrap_or_else(|| hf_home.join("hub")),
            token: variable("HF_TOKEN")
                .or_else(|| std::fs::read_to_string(token_file).ok())
                .map(|token| token.trim().to_owned())
                .filter(|token| !token.is_empty()),
            offline: ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"]
                .iter()
                .any(|name| variable(name).is_some_and(|value| is_true(&value))),
        }
    }
}

/// Hides the token, and user and password in the address.
impl fmt::Debug for HubSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubSettings")
            .field("endpoint", &without_userinfo(&self.endpoint).0)
            .field("cache", &self.cache)
            .field("token", &self.token.as_ref().map(|_| "..."))
            .field("offline", &self.offline)
            .finish()
    }
}

fn expand_home(path: &str, home: Option<&str>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn is_true(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    matches!(value.as_str(), "1" | "true" | "yes" | "on")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> HubSettings {
        HubSettings::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    // The folders equal constants.HF_HUB_CACHE of huggingface_hub 2.4.0 with the same variables, except the
    // last two: huggingface_hub accepts an empty HF_HOME, and reads HOME from the system.
    #[test]
    fn the_cache_folder_is_that_of_huggingface_hub() {
        let check = |variables: &[(&str, &str)], expected: &str| {
            assert_eq!(settings(variables).cache, Path::new(expected), "{variables:?}");
        };
        let home = ("HOME", "/nobody");
        check(&[home], "/nobody/.cache/huggingface/hub");
        check(&[home, ("XDG_CACHE_HOME", "/c")], "/c/huggingface/hub");
        check(&[home, ("XDG_CACHE_HOME", "/c"), ("HF_HOME", "/h")], "/h/hub");
        check(&[home, ("HF_HOME", "~/h")], "/nobody/h/hub");
        check(&[home, ("HF_HOME", "/h"), ("HF_HUB_CACHE", "/hub")], "/hub");
        check(&[home, ("HF_HOME", "")], "/nobody/.cache/huggingface/hub");
        check(&[], ".cache/huggingface/hub");
    }

    #[test]
    fn the_endpoint_has_no_trailing_slash() {
        assert_eq!(settings(&[]).endpoint, "https://huggingface.co");
        let mirror = settings(&[("HF_ENDPOINT", "http://mirror:80/")]);
        assert_eq!(mirror.endpoint, "http://mirror:80");
    }

    #[test]
    fn each_of_three_variables_enables_offline_mode() {
        let names = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"];
        for name in names {
            for yes in ["1", "true", "YES", "On"] {
                assert!(settings(&[(name, yes)]).offline, "{name}={yes}");
            }
            for no in ["", "0", "false", "no", "off"] {
                assert!(!settings(&[(name, no)]).offline, "{name}={no}");
            }
        }
    }

    #[test]
    fn the_token_comes_from_a_variable_or_a_file_and_is_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let home = ("HF_HOME", folder.path().to_str().unwrap());
        assert_eq!(settings(&[home]).token, None);
        std::fs::write(folder.path().join("token"), "hf_file\n").unwrap();
        assert_eq!(settings(&[home]).token.as_deref(), Some("hf_file"));
        let both = settings(&[home, ("HF_TOKEN", " hf_variable ")]);
        assert_eq!(both.token.as_deref(), Some("hf_variable"));
        assert!(!format!("{both:?}").contains("hf_variable"));
        let mirror = settings(&[("HF_ENDPOINT", "https://me:hf_password@mirror")]);
        assert!(!format!("{mirror:?}").contains("hf_password"));
    }
}
