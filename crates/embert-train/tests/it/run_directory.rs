//! The files of a run directory.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use embert_inference::predict;
use embert_model::{
    ADAPTER_MODEL_CONFIG, AutoConfig, AutoModelForSequenceClassification, LoraConfig, ProblemType,
    add_adapter,
};
use embert_text::Tokenizer;
use embert_train::{
    Evaluation, Fitted, IntervalStrategy, ModelCard, OnExisting, RunDirectory, RunSettings, Steps,
    TrainConfig, TrainData, TrainError, fit,
};
use serde_json::Value;

use crate::resume::Recipe;
use crate::tiny::{self, BATCHING, Examples};

const RECIPE: &str = "[train]\nlearning_rate = 0.001\n";

fn config() -> TrainConfig {
    TrainConfig {
        num_train_epochs: 2.0,
        learning_rate: 1e-3,
        logging_steps: 2.into(),
        eval_strategy: IntervalStrategy::Epoch,
        save_strategy: IntervalStrategy::Epoch,
        ..TrainConfig::default()
    }
}

fn accuracy(evaluation: &Evaluation) -> f64 {
    evaluation.metrics.value("accuracy").unwrap()
}

fn create(output_dir: &Path, on_existing: OnExisting) -> Result<RunDirectory, TrainError> {
    let (config, model_config, tokenizer) = (config(), tiny::config(0.1), tiny::tokenizer());
    let settings =
        RunSettings { config: &config, model_config: &model_config, tokenizer: &tokenizer, recipe: RECIPE };
    RunDirectory::create(output_dir, on_existing, settings)
}

fn train(run: &mut RunDirectory) -> (Fitted, Evaluation) {
    let examples = Examples::new(20);
    let data = TrainData { eval: Some(examples.labelled()), ..examples.train_only() };
    let fitted = fit(tiny::model(0.1), data, &config(), &mut |event| {
        run.record(&event)?;
        tiny::CONTINUE
    })
    .unwrap();
    let evaluation = examples.evaluate(&fitted.model);
    (fitted, evaluation)
}

#[test]
fn shares_of_the_run_are_steps_in_trainer_state() {
    let config = TrainConfig {
        logging_steps: Steps::Share(0.2),
        eval_strategy: IntervalStrategy::Steps,
        eval_steps: Some(Steps::Share(0.4)),
        save_strategy: IntervalStrategy::Steps,
        save_steps: Steps::Share(0.6),
        ..config()
    };
    let folder = tiny::folder();
    Recipe { config, lora: None, problem_type: ProblemType::default() }
        .train(&folder.path().join("run"), None, None)
        .0
        .unwrap();
    let state = json(&folder.path().join("run.partial/checkpoint-4/trainer_state.json"));
    let found = ["max_steps", "logging_steps", "eval_steps", "save_steps"].map(|key| state[key].as_u64());
    assert_eq!(found, [Some(6), Some(2), Some(3), Some(4)]);
}

fn card() -> ModelCard {
    ModelCard {
        model_name: "tiny reviews".to_owned(),
        base_model: "random weights".to_owned(),
        dataset: "words".to_owned(),
        dataset_id: Some("stanfordnlp/imdb".to_owned()),
        eval_split: "test".to_owned(),
        max_seq_length: 16,
        ..ModelCard::default()
    }
}

fn names_in(directory: &Path) -> BTreeSet<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

const MODEL_FILES: [&str; 7] = [
    "config.json",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "trainer_state.json",
    "vocab.txt",
];

#[test]
fn a_finished_run_has_every_file_and_no_file_next_to_it() {
    let parent = tempfile::tempdir().unwrap();
    let output_dir = parent.path().join("deep/out");
    let mut run = create(&output_dir, OnExisting::Refuse).unwrap();
    let (fitted, evaluation) = train(&mut run);
    assert!(!output_dir.exists());
    assert_eq!(run.finish(&fitted.model, &fitted.report, Some(&evaluation), &card()).unwrap(), output_dir);

    let own = [
        "README.md",
        "all_results.json",
        "checkpoint-3",
        "checkpoint-6",
        "curves.svg",
        "eval_results.json",
        "metrics.jsonl",
        "recipe.toml",
        "train_results.json",
    ];
    let all = [&own[..], &MODEL_FILES].concat();
    assert_eq!(names_in(&output_dir), set(&all));
    let resuming = ["optimizer.safetensors", "state.json"];
    assert_eq!(names_in(&output_dir.join("checkpoint-3")), set(&[&MODEL_FILES[..], &resuming].concat()));
    assert_eq!(names_in(&parent.path().join("deep")), set(&["out"]));
    assert_eq!(fs::read_to_string(output_dir.join("recipe.toml")).unwrap(), RECIPE);
}

#[test]
fn an_adapter_is_saved_without_config_json() {
    let parent = tempfile::tempdir().unwrap();
    let output_dir = parent.path().join("out");
    let lora = LoraConfig { r: 2, ..LoraConfig::default() };
    let mut run = create(&output_dir, OnExisting::Refuse).unwrap().with_adapter("it's a \\ base");
    let examples = Examples::new(20);
    let data = TrainData { eval: Some(examples.labelled()), ..examples.train_only() };
    let model = add_adapter(tiny::model(0.1), &lora, 1).unwrap();
    let fitted = fit(model, data, &config(), &mut |event| run.record(&event).and(tiny::CONTINUE)).unwrap();
    let card = ModelCard { base_model: "it's a \\ base".to_owned(), ..card() };
    run.finish(&fitted.model, &fitted.report, None, &card).unwrap();
    for directory in [output_dir.join("checkpoint-3"), output_dir.clone()] {
        let config = AutoConfig::from_file(&directory.join(ADAPTER_MODEL_CONFIG)).unwrap();
        assert_eq!(config.label_names(), ["NEGATIVE", "POSITIVE"]);
        assert!(directory.join("adapter_config.json").is_file() && !directory.join("config.json").exists());
    }
    let card = fs::read_to_string(output_dir.join("README.md")).unwrap();
    for part in [r#"labels = ["NEGATIVE", "POSITIVE"]"#, r#"    "it's a \\ base","#] {
        assert!(card.contains(part), "{part} is not in\n{card}");
    }
    assert!(!card.contains("## Evaluation"), "no evaluation, no table");
}

#[test]
fn a_saved_model_gives_the_same_logits() {
    let parent = tempfile::tempdir().unwrap();
    let output_dir = parent.path().join("out");
    let mut run = create(&output_dir, OnExisting::Refuse).unwrap();
    let (fitted, _) = train(&mut run);
    run.finish(&fitted.model, &fitted.report, None, &card()).unwrap();

    let examples = Examples::new(9);
    let logits = |model: &AutoModelForSequenceClassification| {
        predict(model, examples.labelled().texts, BATCHING, &mut |_| tiny::CONTINUE).unwrap()
    };
    assert_eq!(logits(&tiny::read_model(&output_dir)), logits(&fitted.model));
    assert_ne!(logits(&tiny::read_model(&output_dir.join("checkpoint-3"))), logits(&fitted.model));
    let tokenizer = Tokenizer::from_dir(&output_dir).unwrap();
    assert_eq!(tokenizer.token_to_id("w17"), tiny::tokenizer().token_to_id("w17"));
    assert!(!output_dir.join("eval_results.json").exists());
}

#[test]
fn metrics_jsonl_has_one_object_per_line() {
    let parent = tempfile::tempdir().unwrap();
    let mut run = create(&parent.path().join("out"), OnExisting::Refuse).unwrap();
    train(&mut run);
    // Reads the file of an unfinished run, as after a kill.
    let text = fs::read_to_string(run.partial_dir().join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    let steps = lines.iter().map(|line| line["step"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(steps, [2, 3, 4, 6, 6]);
    let keys = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&lines[0]), ["step", "epoch", "loss", "grad_norm", "learning_rate", "tokens_per_second"]);
    assert_eq!(keys(&lines[1])[..5], ["step", "epoch", "eval_loss", "eval_accuracy", "eval_f1"]);
    assert!(lines.iter().flat_map(|line| line.as_object().unwrap().values()).all(Value::is_number));
}

#[test]
fn result_files_have_transformers_keys() {
    let parent = tempfile::tempdir().unwrap();
    let output_dir = parent.path().join("out");
    let mut run = create(&output_dir, OnExisting::Refuse).unwrap();
    let (fitted, evaluation) = train(&mut run);
    run.finish(&fitted.model, &fitted.report, Some(&evaluation), &card()).unwrap();

    let state = json(&output_dir.join("trainer_state.json"));
    assert_eq!(
        (&state["global_step"], &state["max_steps"], &state["epoch"]),
        (&6.into(), &6.into(), &2.0.into())
    );
    let history = state["log_history"].as_array().unwrap();
    assert_eq!(history.len(), 6);
    assert_eq!(history[5]["train_loss"], fitted.report.train_loss);
    assert_eq!(history[5]["step"], 6);
    assert_eq!(
        json(&output_dir.join("checkpoint-3/trainer_state.json"))["log_history"].as_array().unwrap().len(),
        2
    );

    let all = json(&output_dir.join("all_results.json"));
    for key in [
        "train_runtime",
        "train_samples_per_second",
        "train_steps_per_second",
        "train_loss",
        "eval_loss",
        "epoch",
    ] {
        assert!(all[key].is_number(), "{key}");
    }
    assert_eq!(all["eval_accuracy"], accuracy(&evaluation));
    assert!(json(&output_dir.join("train_results.json")).get("eval_loss").is_none());
    assert_eq!(json(&output_dir.join("eval_results.json"))["eval_accuracy"], accuracy(&evaluation));
}

#[test]
fn the_model_card_has_front_matter_and_tables() {
    let parent = tempfile::tempdir().unwrap();
    let output_dir = parent.path().join("out");
    let mut run = create(&output_dir, OnExisting::Refuse).unwrap();
    let (fitted, evaluation) = train(&mut run);
    run.finish(&fitted.model, &fitted.report, Some(&evaluation), &card()).unwrap();
    let card = fs::read_to_string(output_dir.join("README.md")).unwrap();
    let front = "---\nlibrary_name: transformers\npipeline_tag: text-classification\ndatasets:\n- stanfordnlp/imdb\nmetrics:\n";
    assert!(card.starts_with(front), "{card}");
    let accuracy = format!("| accuracy | {:.4} |", accuracy(&evaluation));
    for part in [
        "# tiny reviews",
        "Base model: random weights",
        "Data: words",
        "NEGATIVE | POSITIVE",
        "| F1 of POSITIVE |",
        "| F1, weighted |",
        "| label | precision | recall | F1 | examples |",
        "truncation=True, max_length=16",
        RECIPE,
        &accuracy,
    ] {
        assert!(card.contains(part), "{part:?} is not in\n{card}");
    }
}

#[test]
fn a_directory_with_other_files_is_an_error_and_unchanged() {
    let parent = tempfile::tempdir().unwrap();
    let output_dir = parent.path().join("out");
    fs::create_dir(&output_dir).unwrap();
    fs::write(output_dir.join("precious.txt"), "mine").unwrap();
    let error = create(&output_dir, OnExisting::Refuse).unwrap_err();
    assert!(matches!(error, TrainError::NotARun { .. }), "{error}");
    assert_eq!(names_in(parent.path()), set(&["out"]));
    assert_eq!(names_in(&output_dir), set(&["precious.txt"]));
}

#[test]
fn an_unfinished_run_is_an_error_and_unchanged() {
    let parent = tempfile::tempdir().unwrap();
    let output_dir = parent.path().join("out");
    train(&mut create(&output_dir, OnExisting::Refuse).unwrap());
    let error = create(&output_dir, OnExisting::Refuse).unwrap_err();
    assert!(matches!(error, TrainError::Unfinished { .. }), "{error}");
    assert!(parent.path().join("out.partial/checkpoint-3").is_dir());
    create(&output_dir, OnExisting::Replace).unwrap();
    assert!(!parent.path().join("out.partial/checkpoint-3").exists());
}

#[test]
fn an_empty_output_directory_is_valid_and_a_file_is_an_error() {
    let parent = tempfile::tempdir().unwrap();
    let (empty, file) = (parent.path().join("empty"), parent.path().join("file"));
    fs::create_dir(&empty).unwrap();
    fs::write(&file, "a file").unwrap();
    create(&empty, OnExisting::Refuse).unwrap();
    for on_existing in [OnExisting::Refuse, OnExisting::Replace] {
        let error = create(&file, on_existing).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "a file");
}
