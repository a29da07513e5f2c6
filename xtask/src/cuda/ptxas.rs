//! Registers and spills of embert's own kernels, by NVIDIA's assembler ptxas.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::limits::MOST_SPILLED;
use crate::process;

/// The GPU that is assembled for: an H100 or H200.
const ARCHITECTURE: &str = "sm_90a";

/// What ptxas needs for a kernel.
#[derive(Debug, PartialEq)]
struct Resources {
    kernel: String,
    registers: u64,
    /// Bytes of registers that a thread stores in memory.
    spilled: u64,
}

/// Returns the path of ptxas in `CUDA_PATH` or `PATH`.
pub(super) fn find() -> Option<PathBuf> {
    let toolkit = env::var_os("CUDA_PATH").map(|toolkit| Path::new(&toolkit).join("bin/ptxas"));
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join("ptxas"));
    toolkit.into_iter().chain(on_path).find(|program| program.is_file())
}

/// Assembles the kernels in `folder`. Returns a line for each of embert's own, and whether all of them fit into registers.
pub(super) fn check(ptxas: &Path, folder: &Path) -> Result<String, String> {
    let own = own_kernels(&process::root().join("crates/embert-kernels/src"));
    let mut resources = Vec::new();
    for path in ptx_files(folder)? {
        let text = fs::read_to_string(&path).map_err(|source| format!("{}: {source}", path.display()))?;
        if entry(&text).is_some_and(|name| is_one_of(name, &own)) {
            resources.push(assemble(ptxas, &path)?);
        }
    }
    if !resources.iter().any(|kernel| kernel.kernel.starts_with("attend")) {
        return Err(format!("{} has no kernel of attention among embert's own", folder.display()));
    }
    resources.sort_by(|a, b| a.kernel.cmp(&b.kernel));
    let report = resources.iter().map(line).collect::<Vec<_>>().join("\n");
    let fits = resources.iter().all(|kernel| kernel.spilled <= MOST_SPILLED);
    if fits { Ok(report) } else { Err(report) }
}

fn line(Resources { kernel, registers, spilled }: &Resources) -> String {
    let failed = if *spilled > MOST_SPILLED { "  FAILED: use smaller tiles or fewer units" } else { "" };
    format!("  {kernel:<46} {registers:>4} registers {spilled:>5} bytes spilled{failed}")
}

fn ptx_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|source| format!("{}: {source}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|extension| extension == "ptx")).collect())
}

/// Returns the name of the kernel in PTX text.
fn entry(ptx: &str) -> Option<&str> {
    let (_, after) = ptx.split_once(".entry ")?;
    after.split(|c: char| c == '(' || c.is_whitespace()).next()
}

fn assemble(ptxas: &Path, path: &Path) -> Result<Resources, String> {
    let mut command = Command::new(ptxas);
    command.args(["--verbose", "--opt-level=3", &format!("--gpu-name={ARCHITECTURE}")]);
    command.arg(path).arg("--output-file").arg(path.with_extension("cubin"));
    let output = command.output().map_err(|source| format!("{}: {source}", ptxas.display()))?;
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    match parse(&text) {
        Some(resources) if output.status.success() => Ok(resources),
        _ => Err(format!("ptxas cannot assemble {}: {text}", path.display())),
    }
}

/// Parses what `ptxas --verbose` prints.
fn parse(text: &str) -> Option<Resources> {
    let (_, after) = text.split_once("Compiling entry function '")?;
    let kernel = after.split('\'').next()?.to_owned();
    let number_before = |words: &str| {
        let (before, _) = text.split_once(words)?;
        before.split_whitespace().next_back()?.parse::<u64>().ok()
    };
    let spilled = number_before(" bytes spill stores")?;
    Some(Resources { kernel, registers: number_before(" registers")?, spilled })
}

/// Returns the names of the kernels in a folder of sources: the functions with the attribute `cube(launch)`.
fn own_kernels(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            names.append(&mut own_kernels(&path));
        } else if let Ok(text) = fs::read_to_string(&path) {
            names.extend(kernels_in(&text).map(str::to_owned));
        }
    }
    names
}

/// Returns true for a kernel of these functions. After the function, its name has type parameters and a hash:
/// `attend_e_bf16_n_4_0123abcd` is `attend`.
fn is_one_of(kernel: &str, functions: &BTreeSet<String>) -> bool {
    let begins_with = |function: &String| {
        let rest = kernel.strip_prefix(function.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    functions.iter().any(begins_with)
}

fn kernels_in(source: &str) -> impl Iterator<Item = &str> {
    let launches = source.split("#[cube(launch").skip(1);
    launches.filter_map(|after| {
        let (_, name) = after.split_once("fn ")?;
        name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERBOSE: &str = "\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'attend_0123abcd' for 'sm_90a'
ptxas info    : Function properties for attend_0123abcd
    0 bytes stack frame, 12 bytes spill stores, 16 bytes spill loads
ptxas info    : Used 167 registers, used 1 barriers, 20480 bytes smem, 432 bytes cmem[0]
";

    #[test]
    fn registers_and_spills_are_parsed() {
        let expected = Resources { kernel: "attend_0123abcd".into(), registers: 167, spilled: 12 };
        assert_eq!(parse(VERBOSE), Some(expected));
        assert_eq!(parse("ptxas fatal   : Unresolved extern function"), None);
    }

    #[test]
    fn the_entry_of_a_ptx_text_is_found() {
        assert_eq!(entry(".version 8.0\n.visible .entry attend_0123abcd(\n.param"), Some("attend_0123abcd"));
        assert_eq!(entry(".version 8.0\n"), None);
    }

    #[test]
    fn a_kernel_belongs_to_its_function_with_any_types() {
        let functions = ["attend", "sum_rows"].map(str::to_owned).into();
        for kernel in
            ["attend", "attend_0123abcd", "attend_e_bf16_t_bf16_n_2_e74f673d", "sum_rows_n_4_09c0bab0"]
        {
            assert!(is_one_of(kernel, &functions), "{kernel}");
        }
        for kernel in ["attendant_0123abcd", "matmul_entry_lhs_bf16_0123abcd", "sum_0123abcd"] {
            assert!(!is_one_of(kernel, &functions), "{kernel}");
        }
    }

    #[test]
    fn own_kernels_are_the_launched_functions() {
        let source = "#[cube]\nfn helper() {}\n#[cube(launch)]\nfn normalize(x: &[f32]) {}\n#[cube(launch_unchecked)]\npub(super) fn attend<N: Size>() {}\n";
        assert_eq!(kernels_in(source).collect::<Vec<_>>(), ["normalize", "attend"]);
        let own = own_kernels(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/embert-kernels/src"));
        assert!(own.contains("attend"), "{own:?}");
    }
}
