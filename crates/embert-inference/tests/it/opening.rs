//! Opening directories: settings of training, adapters with their base model, and errors.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use embert_inference::{Classifier, InferenceError, ModelDirectory, OpenOptions, TrainingSettings};
use embert_kernels::Precision;
use embert_text::Truncation;

use crate::fixture::model_directory;

fn write(directory: &Path, name: &str, text: &str) {
    fs::write(directory.join(name), text).unwrap();
}

#[test]
fn settings_default_to_those_of_training() {
    let directory = model_directory();
    let directory = directory.path();
    write(
        directory,
        "recipe.toml",
        "[data]\nmax_seq_length = 9\ntruncation_side = \"left\"\n[train]\nbf16 = true\nseed = 1\n",
    );
    let classifier = Classifier::open(directory, &Device::flex()).unwrap();
    assert_eq!((classifier.limit.max_length(), classifier.limit.truncation()), (9, Truncation::Left));
    assert_eq!(classifier.batching.precision, Precision::Bf16);
    let options =
        OpenOptions { max_length: Some(5), precision: Some(Precision::Fp32), ..OpenOptions::default() };
    let classifier = Classifier::open_with(directory, &options, &Device::flex()).unwrap();
    assert_eq!((classifier.limit.max_length(), classifier.batching.precision), (5, Precision::Fp32));
}

#[test]
fn a_checkpoint_uses_the_recipe_of_its_run() {
    let run = tempfile::tempdir().unwrap();
    let checkpoint = run.path().join("checkpoint-8");
    fs::create_dir(&checkpoint).unwrap();
    write(run.path(), "recipe.toml", "[data]\nmax_seq_length = 9\n");
    assert_eq!(TrainingSettings::from_dir(&checkpoint).unwrap().max_length, Some(9));
    assert_eq!(TrainingSettings::from_dir(run.path()).unwrap().max_length, Some(9));
}

#[test]
fn an_unsupported_precision_is_an_error_only_if_requested() {
    let directory = model_directory();
    write(directory.path(), "recipe.toml", "[train]\nfp16 = true\n");
    let classifier = Classifier::open(directory.path(), &Device::flex()).unwrap();
    assert_eq!(classifier.batching.precision, Precision::Fp32);
    let options = OpenOptions { precision: Some(Precision::Fp16), ..OpenOptions::default() };
    let error = Classifier::open_with(directory.path(), &options, &Device::flex()).unwrap_err();
    assert!(matches!(error, InferenceError::Precision { precision: Precision::Fp16 }), "{error}");
}

/// Returns a directory with a LoRA adapter saved by PEFT. `base` is the name of its base model.
fn adapter(base: &str) -> tempfile::TempDir {
    let plain = Path::new(env!("CARGO_MANIFEST_DIR")).join("../embert-model/tests/fixtures/peft/plain");
    let directory = tempfile::tempdir().unwrap();
    fs::copy(plain.join("adapter_model.safetensors"), directory.path().join("adapter_model.safetensors"))
        .unwrap();
    let config = fs::read_to_string(plain.join("adapter_config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    config["base_model_name_or_path"] = base.into();
    write(directory.path(), "adapter_config.json", &config.to_string());
    directory
}

#[test]
fn an_adapter_opens_with_the_named_or_given_base_model() {
    let base = model_directory();
    let logits = |directory: &Path, base: Option<&Path>| {
        let options = OpenOptions { base: base.map(Path::to_owned), ..OpenOptions::default() };
        Classifier::open_with(directory, &options, &Device::flex()).unwrap().logits(&["good"]).unwrap()
    };
    let named = adapter(base.path().to_str().unwrap());
    let elsewhere = adapter("org/tiny-bert");
    assert_eq!(logits(named.path(), None), logits(elsewhere.path(), Some(base.path())));
    assert_ne!(logits(named.path(), None), logits(base.path(), None));
}

#[test]
fn directories_that_cannot_be_opened_are_errors() {
    let (model, adapter) = (model_directory(), adapter("org/tiny-bert"));
    let nameless = self::adapter("");
    let config = nameless.path().join("adapter_config.json");
    fs::write(
        &config,
        fs::read_to_string(&config)
            .unwrap()
            .replace("\"base_model_name_or_path\":\"\"", "\"base_model_name_or_path\":null"),
    )
    .unwrap();
    let broken = model_directory();
    write(broken.path(), "recipe.toml", "[data]\nmax_seq_length = \"long\"\n");
    let larger = model_directory();
    let more = "zebra\n".to_owned();
    write(
        larger.path(),
        "vocab.txt",
        &(fs::read_to_string(larger.path().join("vocab.txt")).unwrap() + &more),
    );
    let cases: [(&Path, Option<&Path>, &str); 5] = [
        (adapter.path(), None, "the base model of the adapter is org/tiny-bert, which is not a directory"),
        (nameless.path(), None, "the adapter does not name its base model"),
        (model.path(), Some(model.path()), "contains no adapter; a base model is only valid for an adapter"),
        (broken.path(), None, "recipe.toml: "),
        (larger.path(), None, "the tokenizer has 100 tokens, but the model's vocab_size is 99"),
    ];
    for (directory, base, expected) in cases {
        let options = OpenOptions { base: base.map(Path::to_owned), ..OpenOptions::default() };
        let error = Classifier::open_with(directory, &options, &Device::flex()).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("--"), "{error}");
    }
    let error = embert_inference::Encoder::open(
        self::adapter(model.path().to_str().unwrap()).path(),
        &Device::flex(),
    );
    assert!(matches!(error.unwrap_err(), InferenceError::AdapterOnly { .. }));
    assert!(ModelDirectory::open(&model.path().join("nowhere"), None).is_err());
}
