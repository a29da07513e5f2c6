//! Damaged recipes. Each one resolves, or fails with a one-line error.

use std::fs;
use std::path::Path;

use embert_hostile::{FuzzTarget, damaged, dropped_or_replaced};
use serde_json::{Value, json};

use super::resolve as resolve_recipe;
use crate::args;

/// Resolves a recipe as `embert train --recipe FILE` does.
fn resolve(file: &Path) -> Result<(), String> {
    let matches = args::command().get_matches_from([
        Path::new("embert"),
        Path::new("train"),
        Path::new("--recipe"),
        file,
    ]);
    let (_, matches) = matches.subcommand().unwrap();
    let recipe = resolve_recipe(matches).map_err(|error| format!("{}: {}", file.display(), error.line()))?;
    let text = toml::to_string_pretty(&recipe).unwrap();
    assert_eq!(
        toml::from_str::<super::sections::Recipe>(&text).unwrap(),
        recipe,
        "the printed recipe differs"
    );
    Ok(())
}

/// A recipe with most keys of each section.
fn good() -> Value {
    json!({
        "model": {"model_name_or_path": "dir", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
                  "classifier_dropout": 0.1},
        "data": {"dataset_name": "synthetic", "validation_share": 0.2, "max_train_samples": 10, "shuffle_seed": 42,
                 "synthetic_reviews": 100, "clean": false, "max_seq_length": 128, "truncation_side": "head+tail(10,20)"},
        "train": {"learning_rate": 1e-4, "per_device_train_batch_size": 8, "per_device_eval_batch_size": 8,
                  "num_train_epochs": 2.5, "max_steps": 10, "warmup_ratio": 0.1, "logging_steps": 5, "seed": 1,
                  "class_weights": [1.0, 2.0], "freeze": ["bert.embeddings"], "gradual_unfreezing": ["1:bert"],
                  "eval_strategy": "steps", "eval_steps": 0.5, "early_stopping_patience": 2,
                  "lr_scheduler_type": "polynomial", "lr_scheduler_kwargs": {"power": 2.0}},
        "lora": {"r": 8, "lora_alpha": 16.0, "lora_dropout": 0.1, "target_modules": ["query"], "bias": "none",
                 "rank_pattern": {"query": 4}, "layers_to_transform": [0]},
        "output": {"output_dir": "run", "overwrite_output_dir": true},
    })
}

fn text(recipe: &Value) -> Option<String> {
    toml::to_string(recipe).ok() // TOML has no null
}

#[test]
fn invalid_values_are_refused_with_their_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("recipe.toml"), resolve);
    target.file("undamaged", text(&good()).unwrap()).unwrap();
    let scratch = |key: &str, value: &str| {
        let sizes = [
            ("vocab_size", "300"),
            ("hidden_size", "32"),
            ("num_hidden_layers", "1"),
            ("num_attention_heads", "4"),
            ("intermediate_size", "32"),
            ("max_position_embeddings", "128"),
        ];
        let line =
            |(name, size): (&str, &str)| format!("{name} = {}\n", if name == key { value } else { size });
        "[model.scratch]\n".to_owned() + &sizes.map(line).concat()
    };
    target.file("random weights", scratch("", "")).unwrap();
    let huge = "1000000000000000000";
    let sizes = [
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
    ];
    for (key, value) in
        sizes.iter().flat_map(|key| [(key, "0"), (key, "-1"), (key, huge), (key, "2147483648")])
    {
        let error = target.refused(key, scratch(key, value));
        assert!(error.contains(key), "{key} = {value}: {error}");
    }
    for (key, value, expected) in [
        ("num_attention_heads", "5", "it must be a multiple of num_attention_heads 5"),
        ("hidden_size", "2147483644", "model.scratch describes"),
        ("num_hidden_layers", "2147483647", "model.scratch describes"),
    ] {
        let error = target.refused(key, scratch(key, value));
        assert!(error.contains(expected), "{key} = {value}: {error}");
    }
    let wrong = [
        ("train.per_device_train_batch_size", vec!["0", "-1", huge, "1.5", "inf"]),
        ("train.per_device_eval_batch_size", vec!["0", "-1", huge]),
        ("train.gradient_accumulation_steps", vec!["0", "-1", huge]),
        ("train.num_train_epochs", vec!["0", "-1", "1e308", "inf", "nan"]),
        ("train.max_steps", vec!["0", "-2", "1e308"]),
        ("train.logging_steps", vec!["0", "-1", "1.5", "nan"]),
        ("train.save_steps", vec!["0", "-1", "inf"]),
        ("train.eval_steps", vec!["0", "-0.5", "2.5"]),
        ("train.lr_scheduler_kwargs", vec!["{ power = 2 }", "{ power = [2] }", "2"]),
        ("train.seed", vec!["-1", "18446744073709551616", "0.5", "nan"]),
        ("train.learning_rate", vec!["-1", "nan", "inf", "\"fast\""]),
        ("train.weight_decay", vec!["-1", "nan", "inf"]),
        ("train.adam_beta1", vec!["1", "nan", "-0.1"]),
        ("train.adam_epsilon", vec!["0", "nan", "inf"]),
        ("train.max_grad_norm", vec!["-1", "nan"]),
        ("train.warmup_ratio", vec!["1.1", "nan", "-0.1"]),
        ("train.warmup_steps", vec!["-1", "1.5"]),
        ("train.label_smoothing_factor", vec!["1", "nan"]),
        ("train.layer_wise_lr_decay", vec!["0", "nan", "2"]),
        ("train.class_weights", vec!["[nan, 1]", "[-1.0, 1]", "\"many\"", "{a = -1.0}"]),
        ("train.pos_weight", vec!["[nan, 1]", "\"many\"", "{a = 0.0}"]),
        ("train.loss", vec!["1", "\"focus\""]),
        ("train.focal_gamma", vec!["-1", "nan", "inf"]),
        ("train.fp16", vec!["1", "\"yes\""]),
        ("data.validation_share", vec!["1", "-0.1", "nan"]),
        ("data.synthetic_reviews", vec![huge, "-1"]),
        ("data.shuffle_seed", vec!["-1", "1.5"]),
        ("data.max_seq_length", vec!["-1", "1e3"]),
        ("data.max_train_samples", vec!["-1"]),
        ("model.hidden_dropout_prob", vec!["1.5", "nan", "-0.1", "1"]),
        ("model.attention_probs_dropout_prob", vec!["1.5", "nan"]),
        ("model.classifier_dropout", vec!["1.5", "nan"]),
        ("lora.r", vec!["0", "-1"]),
        ("lora.lora_alpha", vec!["0", "nan", "inf"]),
        ("lora.lora_dropout", vec!["1.5", "nan"]),
    ];
    for (key, value) in wrong.iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value))) {
        let error = target.refused(key, format!("{key} = {value}"));
        let (_, name) = key.split_once('.').unwrap();
        assert!(error.contains(name) || error.contains("line 1"), "{key} = {value}: {error}");
    }
    for (what, file) in [
        ("deep lists", format!("a = {}", "[".repeat(1 << 18)).into_bytes()),
        ("deep tables", format!("a = {}", "{a=".repeat(1 << 17)).into_bytes()),
        ("deep keys", format!("a{} = 1", ".a".repeat(1 << 17)).into_bytes()),
        ("a key twice", b"[train]\nseed = 1\nseed = 2\n".to_vec()),
        ("not UTF-8", b"[train]\nseed = \"\xff\"\n".to_vec()),
        ("UTF-16", "[train]".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a NUL", b"[train]\0".to_vec()),
        ("a word", b"train".to_vec()),
    ] {
        target.refused(what, file);
    }
    println!("{}", target.finish(110, 0));
}

#[test]
fn damaged_recipes_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recipe.toml");
    let mut target = FuzzTarget::new(&path, resolve);
    let wrong = dropped_or_replaced(&good(), 1200, 1).into_iter();
    target.mutations(wrong.filter_map(|(what, recipe)| Some((what, text(&recipe)?))));
    target.mutations(damaged(text(&good()).unwrap().as_bytes(), 1500, 2));
    println!("{}", target.finish(0, 2000));
    fs::remove_file(path).unwrap();
}
