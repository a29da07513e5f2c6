//! The floors: which crate may depend on which, and who may turn on a backend of Burn.

use super::{Finding, lock::Lock};
use crate::process;
use serde_json::Value;
use std::{fs, path::Path};

/// What one crate may know.
struct Room {
    package: &'static str,
    below: &'static [&'static str],
    burn: bool,
    /// A library may neither print nor pick a backend.
    is_library: bool,
    /// Crates that would bring in what this one must not know.
    never: &'static [&'static str],
}

const ROOMS: [Room; 12] = [
    Room {
        package: "embert-data",
        below: &[],
        burn: false,
        is_library: true,
        never: &["hf-hub", "reqwest", "tokenizers", "safetensors"],
    },
    Room {
        package: "embert-hub",
        below: &[],
        burn: false,
        is_library: true,
        never: &["arrow-array", "csv", "parquet", "tokenizers", "safetensors"],
    },
    Room {
        package: "embert-text",
        below: &[],
        burn: false,
        is_library: true,
        never: &["arrow-array", "csv", "hf-hub", "parquet"],
    },
    Room {
        package: "embert-kernels",
        below: &[],
        burn: true,
        is_library: true,
        never: &["tokenizers", "safetensors", "serde_json"],
    },
    Room {
        package: "embert-model",
        below: &["embert-kernels"],
        burn: true,
        is_library: true,
        never: &["arrow-array", "csv", "hf-hub", "parquet", "tokenizers"],
    },
    Room {
        package: "embert-inference",
        below: &["embert-kernels", "embert-model", "embert-text"],
        burn: true,
        is_library: true,
        never: &["arrow-array", "csv", "hf-hub", "parquet", "tokenizers"],
    },
    Room {
        package: "embert-train",
        below: &["embert-data", "embert-inference", "embert-kernels", "embert-model", "embert-text"],
        burn: true,
        is_library: true,
        never: &["arrow-array", "hf-hub", "parquet", "tokenizers"],
    },
    Room { package: "embert", below: EVERY_LIBRARY, burn: true, is_library: false, never: &[] },
    Room { package: "embert-cli", below: EVERY_LIBRARY, burn: true, is_library: false, never: &[] },
    Room { package: "embert-bench", below: EVERY_LIBRARY, burn: true, is_library: false, never: &[] },
    Room { package: FOR_TESTS, below: &[], burn: false, is_library: true, never: &[] },
    Room { package: "xtask", below: &[], burn: false, is_library: false, never: &[] },
];

const EVERY_LIBRARY: &[&str] = &[
    "embert-data",
    "embert-hub",
    "embert-inference",
    "embert-kernels",
    "embert-model",
    "embert-text",
    "embert-train",
];

/// What the tests of every crate may know, and nothing else may.
const FOR_TESTS: &str = "embert-hostile";

/// What a library would need to write to a terminal or to handle its signals.
const TERMINAL: [&str; 5] = ["clap", "comfy-table", "ctrlc", "indicatif", "tracing-subscriber"];

/// Features that turn on one of Burn's backends.
const BACKENDS: [&str; 11] =
    ["cpu", "cuda", "flex", "metal", "ndarray", "remote", "rocm", "tch", "vulkan", "webgpu", "wgpu"];

/// One `Cargo.toml` as `cargo metadata` reads it, and its text.
struct Manifest {
    path: String,
    text: String,
    package: Value,
}

pub(super) fn check(root: &Path) -> Result<Vec<Finding>, String> {
    let manifests = read(root)?;
    let lock =
        fs::read_to_string(root.join("Cargo.lock")).map_err(|source| format!("Cargo.lock: {source}"))?;
    let lock = Lock::parse(&lock);
    Ok(manifests.iter().flat_map(|manifest| check_manifest(manifest, &lock)).collect())
}

fn read(root: &Path) -> Result<Vec<Manifest>, String> {
    let output = process::cargo(["metadata", "--no-deps", "--format-version", "1"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|source| format!("cargo metadata: {source}"))?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|source| format!("cargo metadata: {source}"))?;
    list(&metadata["packages"]).iter().map(|package| manifest(root, package)).collect()
}

fn manifest(root: &Path, package: &Value) -> Result<Manifest, String> {
    let path = Path::new(string(&package["manifest_path"]));
    let text = fs::read_to_string(path).map_err(|source| format!("{}: {source}", path.display()))?;
    let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    Ok(Manifest { path: relative, text, package: package.clone() })
}

fn check_manifest(manifest: &Manifest, lock: &Lock) -> Vec<Finding> {
    let name = string(&manifest.package["name"]);
    let Some(room) = ROOMS.iter().find(|room| room.package == name) else {
        return vec![
            manifest.finding(name, format!("{name} has no floor: give it one in xtask/src/tidy/floors.rs")),
        ];
    };
    let mut findings = versions(manifest);
    findings.extend(
        list(&manifest.package["dependencies"]).iter().flat_map(|found| dependency(manifest, room, found)),
    );
    findings.extend(burn_below(manifest, room, lock));
    if room.is_library {
        findings.extend(features(manifest));
    }
    findings
}

fn dependency(manifest: &Manifest, room: &Room, found: &Value) -> Vec<Finding> {
    let (name, package) = (string(&found["name"]), room.package);
    let mut troubles = Vec::new();
    // A crate's tests may turn its own features on by depending on it.
    let itself = name == package && found["kind"] == "dev";
    let in_tests = name == FOR_TESTS && found["kind"] == "dev";
    if name.starts_with("embert-") && !room.below.contains(&name) && !itself && !in_tests {
        troubles.push(format!("{package} must not know {name}: arrows point down, and crates of one floor do not know each other"));
    }
    if room.never.contains(&name) {
        troubles.push(format!("{package} must not know {name}: leave that to the crate whose matter it is"));
    }
    if room.is_library && TERMINAL.contains(&name) {
        troubles
            .push(format!("{package} is a library and must not know {name}: the terminal is embert-cli's"));
    }
    if room.is_library && found["kind"] != "dev" {
        let on = list(&found["features"]).iter().map(string).find(|feature| BACKENDS.contains(feature));
        troubles.extend(on.map(|on| {
            format!("{package} turns on {name}/{on}: only embert-cli and embert-bench choose a backend")
        }));
    }
    troubles.into_iter().map(|what| manifest.finding(name, what)).collect()
}

/// A library may forward a backend's feature under the same name, and may not have it on by default.
fn features(manifest: &Manifest) -> Vec<Finding> {
    let features = manifest.package["features"].as_object().into_iter().flatten();
    let entries = features
        .flat_map(|(feature, entries)| list(entries).iter().map(move |entry| (feature, string(entry))));
    let backend = |entry: &str| BACKENDS.contains(&entry.rsplit('/').next().unwrap_or(entry));
    let chosen =
        entries.filter(|(feature, entry)| backend(entry) && !entry.ends_with(&format!("/{feature}")));
    chosen
        .map(|(feature, entry)| {
            let what = format!(
                "feature `{feature}` turns on {entry}: a library only forwards a backend under its own name"
            );
            manifest.finding(feature, what)
        })
        .collect()
}

fn burn_below(manifest: &Manifest, room: &Room, lock: &Lock) -> Option<Finding> {
    let is_burn = |name: &str| name.starts_with("burn") || name.starts_with("cubecl");
    let way = lock.way(room.package, is_burn).filter(|_| !room.burn)?;
    let what = format!("{} must build without Burn, and comes to it by {}", room.package, way.join(" -> "));
    Some(manifest.finding(&way[1], what))
}

/// Versions stand once, in the workspace's manifest.
fn versions(manifest: &Manifest) -> Vec<Finding> {
    let mut in_dependencies = false;
    let mut findings = Vec::new();
    for (i, line) in manifest.text.lines().enumerate() {
        if line.starts_with('[') {
            in_dependencies = line.trim_end_matches(']').ends_with("dependencies");
        } else if in_dependencies && line.contains('=') && !line.starts_with('#') && !inherits(line) {
            let what = "take the version from the workspace: `name.workspace = true`".into();
            findings.push(Finding { path: manifest.path.clone(), line: i + 1, what });
        }
    }
    findings
}

/// `path = "."` is a crate that its own tests depend on.
fn inherits(line: &str) -> bool {
    let line = line.replace(' ', "");
    line.contains("workspace=true") || line.contains("path=\".\"")
}

impl Manifest {
    /// A finding at the line that begins with `word`.
    fn finding(&self, word: &str, what: String) -> Finding {
        let line = self.text.lines().position(|line| line.starts_with(word)).map_or(1, |i| i + 1);
        Finding { path: self.path.clone(), line, what }
    }
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(package: Value, text: &str, lock: &str, expected: &[(usize, &str)]) {
        let manifest = Manifest { path: "crates/x/Cargo.toml".into(), text: text.into(), package };
        let found = check_manifest(&manifest, &Lock::parse(lock));
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, (line, words)) in found.iter().zip(expected) {
            assert!(finding.line == *line && finding.what.contains(words), "{finding}");
        }
    }

    fn package(name: &str, dependencies: Value) -> Value {
        json!({ "name": name, "dependencies": dependencies, "features": {} })
    }

    #[test]
    fn crates_know_only_what_is_below_them() {
        let data = json!([{ "name": "embert-data", "kind": null, "features": [] }]);
        let text = "[dependencies]\nembert-data.workspace = true\n";
        check(package("embert-train", data.clone()), text, "", &[]);
        check(
            package("embert-text", data.clone()),
            text,
            "",
            &[(2, "embert-text must not know embert-data")],
        );
        let itself = json!([{ "name": "embert-data", "kind": "dev", "features": ["flex"] }]);
        check(
            package("embert-data", itself),
            "[dev-dependencies]\nembert-data = { path = \".\" }\n",
            "",
            &[],
        );
        check(package("embert-new", data), text, "", &[(1, "embert-new has no floor")]);
        let hostile = |kind: Value| json!([{ "name": "embert-hostile", "kind": kind, "features": [] }]);
        check(package("embert-data", hostile("dev".into())), "", "", &[]);
        check(package("embert-data", hostile(Value::Null)), "", "", &[(1, "must not know embert-hostile")]);
    }

    #[test]
    fn crates_know_nothing_of_other_matters() {
        let parquet = json!([{ "name": "parquet", "kind": "dev", "features": [] }]);
        check(package("embert-model", parquet.clone()), "", "", &[(1, "must not know parquet")]);
        check(package("embert-data", parquet), "", "", &[]);
        let bars = json!([{ "name": "indicatif", "kind": null, "features": [] }]);
        check(package("embert-data", bars.clone()), "", "", &[(1, "the terminal is embert-cli's")]);
        check(package("embert-cli", bars), "", "", &[]);
    }

    #[test]
    fn libraries_turn_no_backend_on() {
        let burn = |kind: Value| json!([{ "name": "burn", "kind": kind, "features": ["std", "flex"] }]);
        check(package("embert-model", burn(Value::Null)), "", "", &[(1, "turns on burn/flex")]);
        check(package("embert-model", burn("dev".into())), "", "", &[]);
        check(package("embert-cli", burn(Value::Null)), "", "", &[]);
    }

    #[test]
    fn libraries_forward_features_under_their_own_name() {
        let with =
            |features: Value| json!({ "name": "embert-kernels", "dependencies": [], "features": features });
        check(with(json!({ "flex": ["burn/flex"], "wgpu": [] })), "", "", &[]);
        check(
            with(json!({ "wgpu": ["burn/cuda"] })),
            "[features]\nwgpu = []\n",
            "",
            &[(2, "`wgpu` turns on burn/cuda")],
        );
        check(
            with(json!({ "default": ["flex"], "flex": ["burn/flex"] })),
            "",
            "",
            &[(1, "`default` turns on flex")],
        );
    }

    #[test]
    fn floor_zero_comes_to_burn_by_no_way() {
        let lock = "[[package]]\nname = \"embert-text\"\ndependencies = [\n \"x\",\n]\n[[package]]\nname = \"x\"\ndependencies = [\n \"burn-core\",\n]\n";
        let none = json!([]);
        check(package("embert-text", none.clone()), "", lock, &[(1, "embert-text -> x -> burn-core")]);
        check(package("embert-data", none), "", lock, &[]);
    }

    #[test]
    fn versions_stand_in_the_workspace() {
        let text = "[package]\nversion = \"1\"\n[dependencies]\na = \"1\"\nb = { workspace = true, features = [] }\n[dev-dependencies]\nc = { version = \"1\" }\n";
        let own = "take the version from the workspace";
        check(package("embert-data", json!([])), text, "", &[(4, own), (7, own)]);
    }
}
