//! Unusual paths: with spaces, through symbolic links, in read-only folders, not in UTF-8, and without a home directory.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::tiny::{SHAPE, write_csv};
use crate::{stderr, stdout};

/// A tiny model.
const TINY: &str = "--recipe quickstart --vocab_size 300 --hidden_size 32 --num_hidden_layers 1 --intermediate_size 32 \
                    --synthetic_reviews 100 --max_steps 2";

/// Returns the command `embert WORDS ARGUMENTS` in a folder. Splits only `words` at spaces.
fn command(folder: &Path, words: &str, arguments: &[&OsStr]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embert"));
    command.args(words.split_whitespace()).args(arguments).current_dir(folder);
    command
        .env("HF_HUB_OFFLINE", "1")
        .env("HF_HOME", folder)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null());
    command
}

fn run(folder: &Path, words: &str, arguments: &[&str]) -> Output {
    let arguments = arguments.iter().map(OsStr::new).collect::<Vec<_>>();
    command(folder, words, &arguments).output().unwrap()
}

#[track_caller]
fn succeeds(folder: &Path, words: &str, arguments: &[&str]) -> String {
    let output = run(folder, words, arguments);
    assert_eq!(output.status.code(), Some(0), "{words} {arguments:?}: {}", stderr(&output));
    stdout(&output)
}

/// Asserts this exit code and a one-line error. Returns the error.
#[track_caller]
fn fails(code: i32, output: &Output) -> String {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

fn not_utf8(name: &str) -> OsString {
    OsString::from_vec([name.as_bytes(), b"\xff"].concat())
}

#[test]
fn names_may_have_spaces_and_any_script() {
    let folder = tempfile::tempdir().unwrap();
    let name = "my runs/das erste Modell 電影 😀";
    succeeds(folder.path(), &format!("train {TINY} --output_dir"), &[name]);
    succeeds(folder.path(), "predict --model", &[name, "good film"]);
    fs::write(folder.path().join("my texts.csv"), "text\ngood\n").unwrap();
    succeeds(
        folder.path(),
        "predict --input",
        &["my texts.csv", "--output", "my labels.csv", "--model", name],
    );
    assert!(folder.path().join("my labels.csv").is_file());
}

#[test]
fn symbolic_links_are_followed_for_inputs_and_outputs() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("disk/runs")).unwrap();
    symlink("disk/runs", folder.path().join("output")).unwrap();
    succeeds(folder.path(), &format!("train {TINY} --output_dir"), &["output"]);
    assert!(folder.path().join("output").is_symlink(), "the link was replaced");
    assert!(folder.path().join("disk/runs/model.safetensors").is_file());
    symlink("disk/runs", folder.path().join("model")).unwrap();
    succeeds(folder.path(), "predict --model", &["model", "good film"]);

    symlink("nowhere", folder.path().join("dangling")).unwrap();
    let message = fails(1, &run(folder.path(), &format!("train {TINY} --output_dir"), &["dangling"]));
    assert!(message.contains("dangling: No such file or directory"), "{message}");
    symlink("cycle", folder.path().join("cycle")).unwrap();
    for (words, arguments) in
        [("predict --model ./cycle", "good"), ("check --recipe quickstart --dataset", "./cycle")]
    {
        let output = run(folder.path(), words, &[arguments]);
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
        assert!(!output.status.success());
    }
}

#[test]
fn slashes_after_a_linked_directory_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("parts")).unwrap();
    write_csv(path, "parts/rows.csv", &["a", "b"], 24);
    fs::create_dir(path.join("disk")).unwrap();
    succeeds(
        path,
        &format!("train {SHAPE} --train_file parts/rows.csv --max_steps 1 --output_dir base"),
        &[],
    );
    let lora =
        "train --model base --train_file parts/rows.csv --lora_r 2 --lora_target_modules query --max_steps 2";
    for (number, end) in ["", "/", "//", "/.", "/./"].into_iter().enumerate() {
        let link = |kind: &str| {
            fs::create_dir(path.join(format!("disk/{kind}{number}"))).unwrap();
            symlink(format!("disk/{kind}{number}"), path.join(format!("{kind}{number}"))).unwrap();
            format!("{kind}{number}{end}")
        };
        let (run, merged, labels) = (link("run"), link("merged"), link("labels"));
        let train = format!("{lora} --max_seq_length 16 --save_strategy steps --save_steps 1 --output_dir");
        succeeds(path, &train, &[&run]);
        succeeds(path, &format!("train --resume_from_checkpoint last --output_dir {run}"), &[]);
        succeeds(path, &format!("train --resume_from_checkpoint {run}"), &[]);
        succeeds(path, &format!("merge --model {run} --output {merged}"), &[]);
        succeeds(path, &format!("predict --model {merged} --input parts --output {labels}"), &[]);
        for file in ["run/trainer_state.json", "merged/recipe.toml", "labels/rows.csv"] {
            let (kind, file) = file.split_once('/').unwrap();
            assert!(path.join(format!("{kind}{number}")).is_symlink(), "{kind}{end}");
            assert!(path.join(format!("disk/{kind}{number}/{file}")).is_file(), "{kind}{end}");
        }
    }
}

#[test]
fn a_link_to_nothing_and_a_file_for_a_directory_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 24);
    succeeds(path, &format!("train {SHAPE} --train_file rows.csv --max_steps 1 --output_dir run"), &[]);
    symlink("nowhere.csv", path.join("dangling.csv")).unwrap();
    symlink("gone", path.join("model")).unwrap();
    let (to_file, to_model) =
        ("dangling.csv: this is a link to nowhere.csv", "model: this is a link to gone");
    for (code, words, expected) in [
        (3, "train --train_file dangling.csv", to_file),
        (3, "train --dataset dangling.csv", to_file),
        (3, "train --train_file rows.csv --do_eval --validation_file dangling.csv", to_file),
        (3, "predict --model run --input dangling.csv", to_file),
        (3, "predict --model run --input dangling.csv --output new.csv", to_file),
        (3, "evaluate --model run --test_file dangling.csv", to_file),
        (1, "predict good --model model", to_model),
        (1, "predict good --model ./model", to_model),
        (1, "predict good --model model/", "model/: this is a link to gone"),
        (3, "train --dataset model", to_model),
        (2, "push --repo a/b --model model", to_model),
        (2, "push --repo a/b --model run/config.json", "run/config.json: this is a file; name the directory"),
        (1, "merge --output new --model run/config.json", "run/config.json: a model is a directory"),
        (1, "predict good --model run/config.json", "run/config.json: a model is a directory"),
    ] {
        let message = fails(code, &run(path, words, &[]));
        assert!(message.contains(expected) && !message.contains("did you mean"), "{words}: {message}");
    }
}

#[test]
fn names_that_are_not_utf8_are_refused_only_as_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join(not_utf8("folder"));
    if fs::create_dir(&odd).is_err() {
        println!("SKIPPED: this file system allows only names in UTF-8");
        return;
    }
    succeeds(&odd, &format!("train {TINY} --output_dir"), &["run"]);
    fs::write(odd.join("run").join(not_utf8("file")), "x").unwrap();
    succeeds(&odd, "predict --model", &["run", "good film"]);
    for arguments in [vec![not_utf8("a")], vec!["--model".into(), not_utf8("a")], vec![not_utf8("--model=")]]
    {
        let arguments = arguments.iter().map(OsString::as_os_str).collect::<Vec<_>>();
        let message = fails(2, &command(folder.path(), "predict", &arguments).output().unwrap());
        assert!(message.contains("\\xFF\" is not UTF-8"), "{message}");
    }
}

#[test]
fn a_read_only_output_directory_is_an_error_before_training() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "mine").unwrap();
    let message = fails(
        1,
        &run(folder.path(), &format!("train {TINY} --overwrite_output_dir --output_dir"), &["file"]),
    );
    assert!(message.contains("file: "), "{message}");
    let message = fails(1, &run(folder.path(), &format!("train {TINY} --output_dir"), &["file/run"]));
    assert!(message.contains("file/run"), "{message}");
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "mine");

    let read_only = folder.path().join("read-only");
    fs::create_dir(&read_only).unwrap();
    fs::set_permissions(&read_only, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(read_only.join("probe"), "").is_ok() {
        println!("SKIPPED: this user may write to read-only folders");
        return;
    }
    let message = fails(2, &run(folder.path(), &format!("train {TINY} --output_dir"), &["read-only/run"]));
    assert!(
        message.contains("--output_dir read-only/run: cannot be written: Permission denied"),
        "{message}"
    );
}

#[test]
fn without_a_home_directory_only_the_cache_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let without_home = |words: &str| {
        let mut command = command(folder.path(), words, &[]);
        command.env_clear().env("HF_HUB_OFFLINE", "1");
        command
    };
    let output = without_home(&format!("train {TINY} --output_dir run")).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let message = fails(1, &without_home("predict --model some/model good").output().unwrap());
    assert!(message.contains(".cache/huggingface/hub"), "{message}");
    let message =
        fails(1, &without_home("predict --model some/model good").env("HF_HOME", "/h").output().unwrap());
    assert!(message.contains("/h/hub"), "{message}");
}

#[test]
fn a_path_that_is_not_a_model_is_a_one_line_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("empty")).unwrap();
    fs::create_dir_all(folder.path().join("odd/config.json")).unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    for (model, expected) in [
        ("./empty", "config.json: No such file"),
        ("./odd", "config.json: Is a directory"),
        ("./file", "a model is a directory"),
        ("./nowhere", "there is no such file or directory"),
        ("/dev/null", "a model is a directory"),
        ("", "is neither a local folder nor a repository id of the Hub"),
    ] {
        let message = fails(1, &run(folder.path(), "predict --model", &[model, "good"]));
        assert!(message.contains(expected), "{model}: {message}");
    }
}
