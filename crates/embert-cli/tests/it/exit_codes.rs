//! Exit codes of wrong settings and of outputs that cannot be written, as in `docs/faq.md`.

use crate::tiny::{SHAPE, write_csv};
use crate::{fails, succeeds};

#[test]
fn wrong_settings_are_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    write_csv(folder.path(), "rows.csv", &["a", "b"], 20);
    let without_vocabulary = SHAPE.replace("--vocab_size 200", "");
    for (flags, expected) in [
        ("--vocab_size 5", "vocab_size 5 is too small"),
        ("--vocab_size 200 --dataloader_drop_last --per_device_train_batch_size 65", "make no full batch"),
        (
            "--vocab_size 200 --text_pair_column_name text --truncation_side head+tail(4,4)",
            "is only for single texts",
        ),
        ("--vocab_size 200 --class_weights a=1e39", "class_weights is a=1"),
        ("--vocab_size 200 --class_weights 1e-45,1", "between 1e-30 and 1e30"),
    ] {
        let arguments = format!("train {without_vocabulary} {flags} --train_file rows.csv --output_dir run");
        let message = fails(folder.path(), 2, &arguments);
        assert!(message.contains(expected), "{flags}: {message}");
        assert!(!folder.path().join("run.partial").exists(), "{flags}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure_and_not_wrong_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 40);
    succeeds(path, &format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir run"));
    for name in ["full.csv", "full.jsonl", "full.parquet", "full.arrow"] {
        std::os::unix::fs::symlink("/dev/full", path.join(name)).unwrap();
        for words in ["predict --input rows.csv", "predict apple", "evaluate --test_file rows.csv"] {
            let message = fails(path, 1, &format!("{words} --model run --output {name}"));
            assert!(message.contains(name) && message.contains("No space left"), "{words} {name}: {message}");
        }
    }
    let message = fails(path, 3, "predict --input nowhere.csv --model run --output new.csv");
    assert!(message.contains("nowhere.csv"), "{message}");
}

#[test]
fn rows_of_class_weight_zero_do_not_diverge() {
    let folder = tempfile::tempdir().unwrap();
    write_csv(folder.path(), "rows.csv", &["a", "b"], 20);
    for (number, weights) in ["a=0,b=1", "0,1", "1,0", "1e-30,0"].into_iter().enumerate() {
        let flags = format!("--class_weights {weights} --per_device_train_batch_size 1 --logging_steps 1");
        succeeds(
            folder.path(),
            &format!("train {SHAPE} --train_file rows.csv {flags} --output_dir run{number}"),
        );
    }
}

#[cfg(unix)]
#[test]
fn a_file_above_the_maximum_size_is_a_failure_with_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 20);
    write_csv(path, "many.csv", &["a", "b"], 2000);
    succeeds(path, &format!("train {SHAPE} --train_file rows.csv --max_steps 1 --output_dir run"));
    for (arguments, file) in [
        (
            format!("train {SHAPE} --train_file rows.csv --max_steps 1 --output_dir new"),
            "model.safetensors: ",
        ),
        ("predict --model run --input many.csv --output new.csv".to_owned(), "new.csv: "),
    ] {
        let mut command = std::process::Command::new("sh"); // 12 blocks of 512 or 1024 bytes
        command.args(["-c", "ulimit -f 12; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_embert")]);
        command.args(arguments.split_whitespace()).current_dir(path);
        let output = command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", path).output().unwrap();
        let message = crate::stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {message}");
        assert!(message.contains(file) && message.contains("File too large"), "{arguments}: {message}");
    }
    assert!(!path.join("new.csv").exists() && !path.join("new").exists());
}
