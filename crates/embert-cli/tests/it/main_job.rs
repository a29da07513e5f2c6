//! Trains, evaluates and predicts with a tiny model, end to end.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{fails, succeeds};

/// A tiny model.
const TINY: &str = "--recipe quickstart --vocab_size 300 --hidden_size 32 --num_hidden_layers 1 --intermediate_size 32 \
                    --synthetic_reviews 200 --num_train_epochs 1";

/// Trains the tiny model. Returns the output.
fn trained(folder: &Path) -> String {
    succeeds(folder, &format!("train {TINY} --output_dir run"))
}

#[test]
fn a_run_writes_the_files_of_transformers_and_is_reproducible() {
    let folder = tempfile::tempdir().unwrap();
    let printed = trained(folder.path());
    for expected in [
        "***** Running training *****",
        "\"loss\":",
        "\"eval_accuracy\":",
        "gold \\ predicted",
        "not a model to use",
    ] {
        assert!(printed.contains(expected), "{expected} is not in\n{printed}");
    }
    let run = folder.path().join("run");
    let files = [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "vocab.txt",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "README.md",
        "all_results.json",
        "eval_results.json",
        "train_results.json",
        "trainer_state.json",
        "metrics.jsonl",
        "recipe.toml",
    ];
    for file in files {
        assert!(run.join(file).is_file(), "{file}");
    }
    succeeds(folder.path(), "train --recipe run/recipe.toml --output_dir again");
    let weights = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(weights("run") == weights("again"), "a run from the saved recipe is bit-identical");
}

#[test]
fn distilbert_trains_from_random_weights_and_from_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), &format!("train {TINY} --model_type distilbert --output_dir run"));
    let read_file = |run: &str, file: &str| {
        let config = fs::read_to_string(folder.path().join(run).join(file)).unwrap();
        serde_json::from_str::<serde_json::Value>(&config).unwrap()
    };
    let read = |run: &str| read_file(run, "config.json");
    assert_eq!(read_file("run", "tokenizer_config.json")["tokenizer_class"], "DistilBertTokenizer");
    let config = read("run");
    assert_eq!(config["architectures"][0], "DistilBertForSequenceClassification");
    assert_eq!((&config["dim"], &config["n_layers"]), (&32.into(), &1.into()));
    let data = "--dataset synthetic --synthetic_reviews 200 --max_seq_length 96";
    let rates = "--hidden_dropout_prob 0.3 --attention_dropout 0.2 --seq_classif_dropout 0.25";
    succeeds(
        folder.path(),
        &format!("train --model run {data} {rates} --num_train_epochs 1 --do_eval --output_dir again"),
    );
    let config = read("again");
    let rates = ["dropout", "attention_dropout", "seq_classif_dropout"].map(|key| config[key].as_f64());
    assert_eq!(rates, [Some(0.3), Some(0.2), Some(0.25)]);
    succeeds(folder.path(), &format!("check --model again {data}"));
    let printed = succeeds(folder.path(), "evaluate --model again");
    assert!(printed.contains("eval_accuracy"), "{printed}");
    let message = fails(folder.path(), 2, &format!("train {TINY} --model_type roberta"));
    assert!(
        message.contains("unknown variant `roberta`, expected `bert` or `distilbert` or `electra`"),
        "{message}"
    );
}

#[test]
fn a_finished_run_is_not_overwritten_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let weights = fs::read(folder.path().join("run/model.safetensors")).unwrap();
    let message =
        fails(folder.path(), 2, &format!("train {TINY} --output_dir run --overwrite_output_dir false"));
    assert!(message.contains("--overwrite_output_dir"), "{message}");
    assert!(fs::read(folder.path().join("run/model.safetensors")).unwrap() == weights);
    succeeds(folder.path(), &format!("train {TINY} --output_dir run --overwrite_output_dir --seed 7"));
    assert!(fs::read(folder.path().join("run/model.safetensors")).unwrap() != weights);
}

#[test]
fn each_input_row_has_one_prediction_in_all_formats() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let texts = ["the plot is thin", "a very good movie with a story that goes on and on", "", "good"];
    let rows = texts.map(|text| serde_json::json!({ "text": text }).to_string()).join("\n");
    fs::write(folder.path().join("rows.jsonl"), rows).unwrap();

    let on_stdout = succeeds(folder.path(), "predict --model run --input rows.jsonl --logits");
    succeeds(folder.path(), "predict --model run --input rows.jsonl --logits --output out.jsonl");
    assert_eq!(fs::read_to_string(folder.path().join("out.jsonl")).unwrap(), on_stdout);
    let without_text = |line: &str| format!("{{{}", &line[line.find("\"label\"").unwrap()..]);
    let predictions = on_stdout.lines().map(|line| without_text(line) + "\n").collect::<String>();
    assert_eq!(predict_from_stdin(folder.path(), &texts), predictions);
    succeeds(folder.path(), "predict --model run --input rows.jsonl --output out.csv");
    assert_eq!(fs::read_to_string(folder.path().join("out.csv")).unwrap().lines().count(), 1 + texts.len());

    fs::copy(folder.path().join("rows.jsonl"), folder.path().join("rows.ndjson")).unwrap();
    assert_eq!(succeeds(folder.path(), "predict --model run --input rows.ndjson --logits"), on_stdout);
    succeeds(folder.path(), "predict --model run good bad fine --output words.tsv");
    assert_eq!(fs::read_to_string(folder.path().join("words.tsv")).unwrap().lines().count(), 4);

    let results = on_stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let results = results.collect::<Vec<_>>();
    assert_eq!(results.len(), texts.len());
    for result in &results {
        let scores = result["scores"]
            .as_array()
            .unwrap()
            .iter()
            .map(|score| score.as_f64().unwrap())
            .collect::<Vec<_>>();
        assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let best = scores.iter().copied().fold(0.0, f64::max);
        assert_eq!(result["score"].as_f64(), Some(best));
        assert_eq!(result["logits"].as_array().unwrap().len(), 2);
    }
    let single = succeeds(folder.path(), "predict --model run good");
    let single: serde_json::Value = serde_json::from_str(&single).unwrap();
    assert_eq!(single["label"], results[3]["label"]);
    assert!((single["score"].as_f64().unwrap() - results[3]["score"].as_f64().unwrap()).abs() < 1e-6);
}

/// Predicts lines of standard input. Returns standard output.
fn predict_from_stdin(folder: &Path, texts: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embert"));
    command.args(["predict", "--model", "run", "--logits"]).current_dir(folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(texts.join("\n").as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn evaluate_reproduces_the_last_evaluation_of_training() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let results = fs::read_to_string(folder.path().join("run/eval_results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&results).unwrap();
    let printed = succeeds(folder.path(), "evaluate --model run");
    let evaluation: serde_json::Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    for key in ["eval_accuracy", "eval_f1", "eval_loss"] {
        assert_eq!(evaluation[key], results[key], "{key}");
    }
}

#[test]
fn a_diverged_run_has_its_own_exit_code_and_no_output_directory() {
    let folder = tempfile::tempdir().unwrap();
    let message = fails(
        folder.path(),
        4,
        &format!("train {TINY} --output_dir run --learning_rate 1e38 --warmup_ratio 0"),
    );
    assert!(message.contains("diverged"), "{message}");
    assert!(!folder.path().join("run").exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_embert"));
    let arguments = format!("train {TINY} --output_dir run --num_train_epochs 1000");
    command.args(arguments.split_whitespace()).current_dir(folder.path());
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let metrics = folder.path().join("run.partial/metrics.jsonl");
    while !fs::read_to_string(&metrics).is_ok_and(|lines| lines.lines().count() > 1) {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.contains("interrupted after step"), "{message}");
    let checkpoint = fs::read_dir(folder.path().join("run.partial")).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        path.file_name()?.to_str()?.starts_with("checkpoint-").then_some(path)
    });
    let checkpoint = checkpoint.last().expect("the interrupted run has a checkpoint");
    succeeds(folder.path(), &format!("predict --model {} good", checkpoint.display()));
}
