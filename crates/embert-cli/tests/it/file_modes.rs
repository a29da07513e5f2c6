//! All files have the mode that the umask gives, whichever library writes them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tiny::{SHAPE, write_csv};

/// Runs `embert` under a umask.
fn embert(folder: &Path, umask: &str, arguments: &str) {
    let line = format!("umask {umask}; exec {} {arguments}", env!("CARGO_BIN_EXE_embert"));
    let output = Command::new("sh").args(["-c", &line]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Returns all files and folders below a folder, with their modes.
fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            found.extend(modes(&path));
        }
        found.push((path, mode));
    }
    found
}

#[test]
fn file_modes_follow_the_umask() {
    for (umask, file, directory) in
        [("022", 0o644, 0o755), ("027", 0o640, 0o750), ("077", 0o600, 0o700), ("002", 0o664, 0o775)]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        write_csv(path, "rows.csv", &["a", "b"], 24);
        let save = "--max_steps 2 --save_strategy epoch --eval_strategy epoch --load_best_model_at_end";
        embert(path, umask, &format!("train {SHAPE} --dataset rows.csv {save} --output_dir model"));
        let lora = "--lora_r 2 --lora_target_modules query --max_seq_length 32";
        embert(
            path,
            umask,
            &format!("train --model model --dataset rows.csv {lora} {save} --output_dir adapter"),
        );
        embert(path, umask, "merge --model adapter --output merged");
        fs::create_dir(path.join("predicted")).unwrap();
        for name in ["out.csv", "out.jsonl", "out.parquet"] {
            embert(
                path,
                umask,
                &format!("predict --model merged --input rows.csv --output predicted/{name}"),
            );
        }
        let found = ["model", "adapter", "merged", "predicted"].map(|name| modes(&path.join(name))).concat();
        assert!(
            found.iter().filter(|(path, _)| path.extension().is_some_and(|it| it == "safetensors")).count()
                > 4
        );
        for (path, mode) in found {
            let expected = if path.is_dir() { directory } else { file };
            assert_eq!(mode, expected, "umask {umask}: {} has {mode:o}", path.display());
        }
    }
}
