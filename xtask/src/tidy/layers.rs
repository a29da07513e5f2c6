//! The layers of the workspace: the allowed dependencies of each crate, and the crates that may enable a backend of Burn.

use super::{Finding, lock::Lock};
use crate::process;
use serde_json::Value;
use std::{fs, path::Path};

/// The rules for a crate.
struct CrateRule {
    package: &'static str,
    /// Allowed dependencies in the workspace.
    allowed: &'static [&'static str],
    burn: bool,
    /// A library may neither print nor choose a backend.
    is_library: bool,
    /// Forbidden dependencies from outside the workspace.
    forbidden: &'static [&'static str],
}

const RULES: [CrateRule; 13] = [
    CrateRule {
        package: "embert-data",
        allowed: &[],
        burn: false,
        is_library: true,
        forbidden: &["hf-hub", "reqwest", "tokenizers", "safetensors"],
    },
    CrateRule {
        package: "embert-hub",
        allowed: &[],
        burn: false,
        is_library: true,
        forbidden: &["arrow-array", "csv", "parquet", "tokenizers", "safetensors"],
    },
    CrateRule {
        package: "embert-text",
        allowed: &[],
        burn: false,
        is_library: true,
        forbidden: &["arrow-array", "csv", "hf-hub", "parquet"],
    },
    CrateRule {
        package: "embert-kernels",
        allowed: &[],
        burn: true,
        is_library: true,
        forbidden: &["tokenizers", "safetensors", "serde_json"],
    },
    CrateRule {
        package: "embert-model",
        allowed: &["embert-kernels"],
        burn: true,
        is_library: true,
        forbidden: &["arrow-array", "csv", "hf-hub", "parquet", "tokenizers"],
    },
    CrateRule {
        package: "embert-inference",
        allowed: &["embert-kernels", "embert-model", "embert-text"],
        burn: true,
        is_library: true,
        forbidden: &["arrow-array", "csv", "hf-hub", "parquet", "tokenizers"],
    },
    CrateRule {
        package: "embert-train",
        allowed: &["embert-data", "embert-inference", "embert-kernels", "embert-model", "embert-text"],
        burn: true,
        is_library: true,
        forbidden: &["arrow-array", "hf-hub", "parquet", "tokenizers"],
    },
    CrateRule { package: "embert", allowed: EVERY_LIBRARY, burn: true, is_library: false, forbidden: &[] },
    CrateRule {
        package: "embert-cli",
        allowed: EVERY_LIBRARY,
        burn: true,
        is_library: false,
        forbidden: &[],
    },
    CrateRule {
        package: "embert-bench",
        allowed: EVERY_LIBRARY,
        burn: true,
        is_library: false,
        forbidden: &[],
    },
    CrateRule { package: TEST_CRATE, allowed: &[], burn: false, is_library: true, forbidden: &[] },
    // A driver, loaded by programs that are tested; no crate links it.
    CrateRule { package: "embert-standin", allowed: &[], burn: false, is_library: false, forbidden: &[] },
    CrateRule { package: "xtask", allowed: &[], burn: false, is_library: false, forbidden: &[] },
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

/// The crate that all tests may use, and only tests.
const TEST_CRATE: &str = "embert-hostile";

/// Crates for terminals and signals, forbidden in libraries.
const TERMINAL: [&str; 5] = ["clap", "comfy-table", "ctrlc", "indicatif", "tracing-subscriber"];

/// Features that enable a backend of Burn.
const BACKENDS: [&str; 11] =
    ["cpu", "cuda", "flex", "metal", "ndarray", "remote", "rocm", "tch", "vulkan", "webgpu", "wgpu"];

/// A `Cargo.toml`, its text, and its `cargo metadata`.
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
    let Some(rule) = RULES.iter().find(|rule| rule.package == name) else {
        return vec![
            manifest.finding(name, format!("{name} has no layer: add it in xtask/src/tidy/layers.rs")),
        ];
    };
    let mut findings = versions(manifest);
    findings.extend(
        list(&manifest.package["dependencies"]).iter().flat_map(|found| dependency(manifest, rule, found)),
    );
    findings.extend(burn_dependency(manifest, rule, lock));
    if rule.is_library {
        findings.extend(features(manifest));
    }
    findings
}

fn dependency(manifest: &Manifest, rule: &CrateRule, found: &Value) -> Vec<Finding> {
    let (name, package) = (string(&found["name"]), rule.package);
    let mut problems = Vec::new();
    // The tests of a crate may depend on it, to enable its features.
    let itself = name == package && found["kind"] == "dev";
    let in_tests = name == TEST_CRATE && found["kind"] == "dev";
    if name.starts_with("embert-") && !rule.allowed.contains(&name) && !itself && !in_tests {
        problems
            .push(format!("{package} must not depend on {name}: a crate may depend only on lower layers"));
    }
    if rule.forbidden.contains(&name) {
        problems.push(format!("{package} must not depend on {name}: this belongs in another crate"));
    }
    if rule.is_library && TERMINAL.contains(&name) {
        problems.push(format!(
            "{package} is a library and must not depend on {name}: only embert-cli uses the terminal"
        ));
    }
    if rule.is_library && found["kind"] != "dev" {
        let on = list(&found["features"]).iter().map(string).find(|feature| BACKENDS.contains(feature));
        problems.extend(on.map(|on| {
            format!("{package} enables {name}/{on}: only embert-cli and embert-bench choose a backend")
        }));
    }
    problems.into_iter().map(|message| manifest.finding(name, message)).collect()
}

/// A library may forward the feature of a backend with the same name, but not enable it by default.
fn features(manifest: &Manifest) -> Vec<Finding> {
    let features = manifest.package["features"].as_object().into_iter().flatten();
    let entries = features
        .flat_map(|(feature, entries)| list(entries).iter().map(move |entry| (feature, string(entry))));
    let backend = |entry: &str| BACKENDS.contains(&entry.rsplit('/').next().unwrap_or(entry));
    let chosen =
        entries.filter(|(feature, entry)| backend(entry) && !entry.ends_with(&format!("/{feature}")));
    chosen
        .map(|(feature, entry)| {
            let message = format!(
                "feature `{feature}` enables {entry}: a library may only forward a backend with the same name"
            );
            manifest.finding(feature, message)
        })
        .collect()
}

fn burn_dependency(manifest: &Manifest, rule: &CrateRule, lock: &Lock) -> Option<Finding> {
    let is_burn = |name: &str| name.starts_with("burn") || name.starts_with("cubecl");
    let path = lock.path(rule.package, is_burn).filter(|_| !rule.burn)?;
    let message =
        format!("{} must build without Burn, but depends on it: {}", rule.package, path.join(" -> "));
    Some(manifest.finding(&path[1], message))
}

/// Only the workspace's manifest has versions.
fn versions(manifest: &Manifest) -> Vec<Finding> {
    let mut in_dependencies = false;
    let mut findings = Vec::new();
    for (i, line) in manifest.text.lines().enumerate() {
        if line.starts_with('[') {
            in_dependencies = line.trim_end_matches(']').ends_with("dependencies");
        } else if in_dependencies && line.contains('=') && !line.starts_with('#') && !inherits(line) {
            let message = "use the version of the workspace: `name.workspace = true`".into();
            findings.push(Finding { path: manifest.path.clone(), line: i + 1, message });
        }
    }
    findings
}

/// `path = "."` is a dependency of tests on their own crate.
fn inherits(line: &str) -> bool {
    let line = line.replace(' ', "");
    line.contains("workspace=true") || line.contains("path=\".\"")
}

impl Manifest {
    /// Returns a finding at the line that begins with `word`.
    fn finding(&self, word: &str, message: String) -> Finding {
        let line = self.text.lines().position(|line| line.starts_with(word)).map_or(1, |i| i + 1);
        Finding { path: self.path.clone(), line, message }
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
            assert!(finding.line == *line && finding.message.contains(words), "{finding}");
        }
    }

    fn package(name: &str, dependencies: Value) -> Value {
        json!({ "name": name, "dependencies": dependencies, "features": {} })
    }

    #[test]
    fn a_crate_depends_only_on_lower_layers() {
        let data = json!([{ "name": "embert-data", "kind": null, "features": [] }]);
        let text = "[dependencies]\nembert-data.workspace = true\n";
        check(package("embert-train", data.clone()), text, "", &[]);
        check(
            package("embert-text", data.clone()),
            text,
            "",
            &[(2, "embert-text must not depend on embert-data")],
        );
        let itself = json!([{ "name": "embert-data", "kind": "dev", "features": ["flex"] }]);
        check(
            package("embert-data", itself),
            "[dev-dependencies]\nembert-data = { path = \".\" }\n",
            "",
            &[],
        );
        check(package("embert-new", data), text, "", &[(1, "embert-new has no layer")]);
        let hostile = |kind: Value| json!([{ "name": "embert-hostile", "kind": kind, "features": [] }]);
        check(package("embert-data", hostile("dev".into())), "", "", &[]);
        check(
            package("embert-data", hostile(Value::Null)),
            "",
            "",
            &[(1, "must not depend on embert-hostile")],
        );
    }

    #[test]
    fn forbidden_dependencies_are_findings() {
        let parquet = json!([{ "name": "parquet", "kind": "dev", "features": [] }]);
        check(package("embert-model", parquet.clone()), "", "", &[(1, "must not depend on parquet")]);
        check(package("embert-data", parquet), "", "", &[]);
        let bars = json!([{ "name": "indicatif", "kind": null, "features": [] }]);
        check(package("embert-data", bars.clone()), "", "", &[(1, "only embert-cli uses the terminal")]);
        check(package("embert-cli", bars), "", "", &[]);
    }

    #[test]
    fn libraries_enable_no_backend() {
        let burn = |kind: Value| json!([{ "name": "burn", "kind": kind, "features": ["std", "flex"] }]);
        check(package("embert-model", burn(Value::Null)), "", "", &[(1, "enables burn/flex")]);
        check(package("embert-model", burn("dev".into())), "", "", &[]);
        check(package("embert-cli", burn(Value::Null)), "", "", &[]);
    }

    #[test]
    fn libraries_forward_backends_with_the_same_name() {
        let with =
            |features: Value| json!({ "name": "embert-kernels", "dependencies": [], "features": features });
        check(with(json!({ "flex": ["burn/flex"], "wgpu": [] })), "", "", &[]);
        check(
            with(json!({ "wgpu": ["burn/cuda"] })),
            "[features]\nwgpu = []\n",
            "",
            &[(2, "`wgpu` enables burn/cuda")],
        );
        check(
            with(json!({ "default": ["flex"], "flex": ["burn/flex"] })),
            "",
            "",
            &[(1, "`default` enables flex")],
        );
    }

    #[test]
    fn the_lowest_layer_does_not_depend_on_burn() {
        let lock = "[[package]]\nname = \"embert-text\"\ndependencies = [\n \"x\",\n]\n[[package]]\nname = \"x\"\ndependencies = [\n \"burn-core\",\n]\n";
        let none = json!([]);
        check(package("embert-text", none.clone()), "", lock, &[(1, "embert-text -> x -> burn-core")]);
        check(package("embert-data", none), "", lock, &[]);
    }

    #[test]
    fn versions_outside_the_workspace_are_findings() {
        let text = "[package]\nversion = \"1\"\n[dependencies]\na = \"1\"\nb = { workspace = true, features = [] }\n[dev-dependencies]\nc = { version = \"1\" }\n";
        let own = "use the version of the workspace";
        check(package("embert-data", json!([])), text, "", &[(4, own), (7, own)]);
    }
}
