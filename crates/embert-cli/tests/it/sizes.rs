//! Very small and very large data: no rows, one row, one label, a thousand labels, a text of ten megabytes.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{fails, stderr, stdout, succeeds};

const TINY: &str =
    "--recipe quickstart --vocab_size 300 --hidden_size 32 --num_hidden_layers 1 --intermediate_size 32";

/// Trains a tiny model in `run`.
fn trained(folder: &Path) {
    succeeds(folder, &format!("train {TINY} --synthetic_reviews 100 --max_steps 2 --output_dir run"));
}

#[test]
fn training_refuses_no_rows_one_row_and_one_label() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rows, expected) in [
        ("none.csv", "", "none.csv: no rows"),
        ("header.csv", "text,label\n", "header.csv: no rows"),
        ("row.csv", "text,label\ngood,1\n", "row.csv"),
        ("label.csv", "text,label\na,only\nb,only\nc,only\nd,only\ne,only\nf,only\n", "\"only\""),
        ("pair.csv", "text,label\na,0\nb,1\n", "pair.csv"),
    ] {
        fs::write(folder.path().join(name), rows).unwrap();
        for command in ["check", "train"] {
            let arguments = format!("{command} {TINY} --dataset {name} --max_steps 1 --output_dir run");
            let message = fails(folder.path(), 3, &arguments);
            assert_eq!(message.lines().count(), 1, "{name}: {message}");
            assert!(message.contains(expected) || message.contains("rows"), "{name}: {message}");
        }
        assert!(!folder.path().join("run").exists());
    }
}

#[test]
fn predict_and_evaluate_accept_one_row_and_refuse_none() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    fs::write(folder.path().join("one.csv"), "text,label\na good film,positive\n").unwrap();
    fs::write(folder.path().join("none.csv"), "text,label\n").unwrap();
    assert_eq!(succeeds(folder.path(), "predict --model run --input one.csv").lines().count(), 1);
    succeeds(folder.path(), "evaluate --model run --validation_file one.csv");
    fails(folder.path(), 3, "predict --model run --input none.csv");
    fails(folder.path(), 3, "evaluate --model run --validation_file none.csv");
    let message = fails(folder.path(), 3, "predict --model run");
    assert!(message.contains("there are no texts"), "{message}");
}

#[test]
fn a_thousand_labels_can_be_trained_evaluated_and_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = "text,label\n".to_owned();
    for row in 0..4000 {
        writeln!(rows, "text {row} of label {0},label {0}", row % 1000).unwrap();
    }
    fs::write(folder.path().join("rows.csv"), rows).unwrap();
    succeeds(folder.path(), &format!("check {TINY} --dataset rows.csv --max_seq_length 16"));
    let train = "--max_seq_length 16 --max_steps 2 --eval_strategy no --output_dir run";
    let printed = succeeds(folder.path(), &format!("train {TINY} --dataset rows.csv {train}"));
    assert!(printed.len() < 100_000, "{} bytes", printed.len());
    let printed = succeeds(folder.path(), "evaluate --model run --validation_file rows.csv");
    let (lines, results) = printed.trim_end().rsplit_once('\n').unwrap();
    assert!(lines.len() < 100_000, "{} bytes", lines.len());
    let results: Value = serde_json::from_str(results).unwrap();
    assert_eq!(results["eval_per_class"].as_object().unwrap().len(), 1000);
    let printed = succeeds(folder.path(), "predict --model run good");
    let prediction: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(prediction["scores"].as_array().unwrap().len(), 1000);
}

#[test]
fn invalid_values_in_a_model_config_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let path = folder.path().join("run/config.json");
    let good: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for (key, value, expected) in [
        ("num_hidden_layers", json!(1_000_000_000), "do not belong to the same model"),
        ("hidden_size", json!(1_000_000_000), "do not belong to the same model"),
        ("max_position_embeddings", json!(u64::MAX), "max_position_embeddings is"),
        ("hidden_act", json!("\u{1b}[31m\nred"), "hidden_act is \\u{1b}[31m; red"),
        ("hidden_act", json!("x".repeat(1 << 20)), "hidden_act is xxx"),
        ("vocab_size", json!(4), "the tokenizer has"),
    ] {
        let mut config = good.clone();
        config[key] = value;
        fs::write(&path, config.to_string()).unwrap();
        let message = fails(folder.path(), 1, "predict --model run good");
        assert!(
            message.contains(expected) && message.lines().count() == 1 && message.len() < 3000,
            "{key}: {message}"
        );
    }
}

#[test]
fn a_key_of_any_depth_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let deep = "a.".repeat(50_000);
    for set in [format!("{deep}a=1"), format!("train.{deep}=1"), "=1".into(), "..=1".into(), "train=1".into()]
    {
        let message = fails(folder.path(), 2, &format!("check --set {set}"));
        assert!(message.lines().count() == 1 && message.len() < 3000, "{message}");
    }
    let message = fails(folder.path(), 2, &format!("check --set train.seed={}", "[".repeat(100_000)));
    assert_eq!(message.lines().count(), 1);
}

#[test]
fn lines_of_standard_input_have_predictions_or_an_error_with_the_line_number() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let predict = |input: Vec<u8>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_embert"));
        command.args(["predict", "--model", "run"]).current_dir(folder.path()).stderr(Stdio::piped());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&input).unwrap();
        child.wait_with_output().unwrap()
    };
    let unusual = "\n \t\na\0b\n\u{1b}[31mred\n\u{202e}שלום\n👩‍👩‍👧‍👦\ne\u{301}\u{301}\u{301}\n[CLS] [SEP]\n\u{feff}\n\u{ffff}\n";
    let output = predict(unusual.into());
    assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(0), 10), "{}", stderr(&output));
    let output = predict(b"good\n\xff\n".to_vec());
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("standard input, line 2: "), "{}", stderr(&output));
    let begin = Instant::now();
    let output = predict(["word ".repeat(1 << 21), "a".repeat(10 << 20)].join("\n").into());
    assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(0), 2), "{}", stderr(&output));
    println!("10 MiB of words and 10 MiB of one letter: {:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}
