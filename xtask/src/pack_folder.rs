//! The folder of an archive: the stripped benchmarks, the golden values of the tiny models and the script `run`.

use crate::process;
use std::{fs, path::Path, process::Command};

/// Writes the stripped benchmarks, the golden values and the script `run` to `folder`.
pub(crate) fn write_folder(folder: &Path, binary: &Path, run: &str) -> Result<(), String> {
    copy_files(folder, binary, run).map_err(|error| format!("{}: {error}", folder.display()))?;
    process::run_checked(Command::new("strip").arg(folder.join("embert-bench")))?;
    process::run_checked(Command::new("chmod").arg("+x").arg(folder.join("run")))
}

fn copy_files(folder: &Path, binary: &Path, run: &str) -> std::io::Result<()> {
    let _ = fs::remove_dir_all(folder); // from an earlier run
    fs::create_dir_all(folder)?;
    fs::copy(binary, folder.join("embert-bench"))?;
    let fixtures = process::root().join("crates/embert-model/tests/fixtures");
    for name in ["tiny_bert", "tiny_distilbert", "families", "peft"] {
        copy_folder(&fixtures.join(name), &folder.join("fixtures").join(name))?;
    }
    for name in ["golden.safetensors", "golden_distilbert.safetensors", "peft.safetensors"] {
        fs::copy(fixtures.join(name), folder.join("fixtures").join(name))?;
    }
    fs::write(folder.join("run"), run)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &copy)?;
        } else {
            fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}
