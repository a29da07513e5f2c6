//! A run reports its memory before it starts, reduces its batch size to fit, and exits cleanly if memory is too small.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::{fails, stderr, stdout, succeeds};

/// A model whose step on 256 texts needs about 300 MiB for activations.
const WIDE: &str = "--recipe quickstart --vocab_size 300 --hidden_size 256 --num_attention_heads 4 --num_hidden_layers 4 \
                    --intermediate_size 1024 --synthetic_reviews 320 --num_train_epochs 1 --max_seq_length 128 \
                    --per_device_train_batch_size 256 --warmup_ratio 0 --eval_strategy no";

/// Runs `embert` with a limit of its address space in KiB. Returns `None` on systems without this limit.
fn limited(folder: &Path, kibibytes: u64, arguments: &str) -> Option<Output> {
    if !cfg!(target_os = "linux") {
        eprintln!("SKIPPED: only Linux limits the address space");
        return None;
    }
    let line = format!("ulimit -v {kibibytes}; exec \"$0\" {arguments}");
    let mut command = Command::new("sh");
    command.args(["-c", &line, env!("CARGO_BIN_EXE_embert")]).current_dir(folder);
    command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", folder).stdin(Stdio::null());
    Some(command.output().expect("sh runs"))
}

/// Parses the line `memory: HOW A of B available`. Returns A and B in MiB.
fn memory_line(printed: &str, how: &str) -> [f64; 2] {
    let line =
        printed.lines().find_map(|line| line.strip_prefix("memory: ")).expect("no line with the memory");
    let line = line.strip_prefix(how).unwrap_or_else(|| panic!("{line} does not begin with {how}"));
    let (needed, available) = line.strip_suffix(" available").unwrap().split_once(" of ").unwrap();
    [needed, available].map(|size| match size.trim().split_once(' ').unwrap() {
        (number, "GiB") => 1024.0 * number.parse::<f64>().unwrap(),
        (number, unit) => {
            assert_eq!(unit, "MiB");
            number.parse().unwrap()
        }
    })
}

#[test]
fn train_and_check_report_an_upper_bound_for_a_small_run() {
    let folder = tempfile::tempdir().unwrap();
    for printed in
        [succeeds(folder.path(), &format!("check {WIDE}")), succeeds(folder.path(), &format!("train {WIDE}"))]
    {
        let [needed, available] = memory_line(&printed, "at most");
        assert!((400.0..1200.0).contains(&needed) && available > needed, "{printed}");
    }
}

#[test]
fn too_little_memory_is_an_error_before_the_first_step() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["check", "train"] {
        let Some(output) = limited(folder.path(), 400_000, &format!("{command} {WIDE} --output_dir run"))
        else {
            return;
        };
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(5), "{message}{}", stdout(&output));
        let last = message.lines().last().unwrap();
        // The trial fails to allocate if the system reports more free memory than it grants.
        let measured = last.contains("error: out of memory: the run takes about ");
        assert!(measured || last.contains("error: out of memory: cannot allocate "), "{message}");
        assert!(
            last.contains("try --auto_find_batch_size, --gradient_checkpointing, a smaller"),
            "{message}"
        );
        assert!(!folder.path().join("run").exists() && !folder.path().join("run.partial").exists());
    }
}

#[test]
fn a_failed_allocation_has_the_same_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let large = WIDE.replace("--hidden_size 256", "--hidden_size 4096");
    let Some(output) = limited(folder.path(), 400_000, &format!("train {large} --output_dir run")) else {
        return;
    };
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(5), "{message}{}", stdout(&output));
    let last = message.lines().last().unwrap();
    assert!(
        last.contains("error: out of memory: cannot allocate ") && last.contains(" bytes; "),
        "{message}"
    );
}

#[test]
fn measuring_a_run_does_not_change_its_weights() {
    let folder = tempfile::tempdir().unwrap();
    let train = format!("train {WIDE} --gradient_checkpointing --output_dir");
    let Some(output) = limited(folder.path(), 700_000, &format!("{train} measured")) else { return };
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let [needed, available] = memory_line(&stdout(&output), "about");
    assert!((150.0..available).contains(&needed), "{needed} of {available}");
    memory_line(&succeeds(folder.path(), &format!("{train} bounded")), "at most");
    let weights = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(weights("measured") == weights("bounded"));
}

#[test]
fn the_batch_size_is_reduced_until_it_fits_and_is_saved_in_the_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = format!("train {WIDE} --save_strategy epoch --auto_find_batch_size --output_dir run");
    let Some(output) = limited(folder.path(), 450_000, &arguments) else { return };
    let printed = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}{}", stderr(&output));
    assert!(
        printed.contains("auto_find_batch_size: per_device_train_batch_size 256 is cut to "),
        "{printed}"
    );
    assert!(!stderr(&output).contains("warning: the run takes"), "{}", stderr(&output));
    let recipe = fs::read_to_string(folder.path().join("run/recipe.toml")).unwrap();
    let recipe: toml::Table = recipe.parse().unwrap();
    let number = |key: &str| recipe["train"][key].as_integer().unwrap();
    let (batch_size, steps) = (number("per_device_train_batch_size"), number("gradient_accumulation_steps"));
    assert!(batch_size < 256 && batch_size * steps == 256, "{recipe}");
    assert_eq!(recipe["train"]["auto_find_batch_size"].as_bool(), Some(false));

    // A run that resumes with the same flags keeps the batch size.
    let printed = succeeds(folder.path(), &format!("{arguments} --resume_from_checkpoint last"));
    assert!(printed.contains(&format!("Instantaneous batch size per device = {batch_size}\n")), "{printed}");

    let full_batch = arguments.replace("--auto_find_batch_size --output_dir run", "--output_dir full");
    succeeds(folder.path(), &full_batch);
    let loss = |run: &str| {
        let results = fs::read_to_string(folder.path().join(run).join("train_results.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&results).unwrap()["train_loss"].as_f64().unwrap()
    };
    assert!((loss("run") - loss("full")).abs() < 1e-6, "{} is not {}", loss("run"), loss("full"));
}

#[test]
fn auto_find_batch_size_still_refuses_unknown_patterns() {
    let folder = tempfile::tempdir().unwrap();
    let message = fails(folder.path(), 2, &format!("train {WIDE} --freeze robert --auto_find_batch_size"));
    assert!(message.contains("robert"), "{message}");
    assert!(!folder.path().join("runs").join("quickstart.partial").exists());
}
