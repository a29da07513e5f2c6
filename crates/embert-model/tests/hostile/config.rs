//! Hostile config.json files: huge sizes, values of the wrong type, invalid labels and invalid JSON.

use std::fs;

use embert_hostile::{FuzzTarget, damaged, dropped_or_replaced, replaced};
use serde_json::{Value, json};

use crate::{fixture, folder_of, load_and_run};

const FILES: [&str; 2] = ["config.json", "model.safetensors"];

/// Returns keys and values for config.json of the tiny BERT, and part of the error for each.
fn wrong_values() -> Vec<(&'static str, Value, &'static str)> {
    let numbered = |count: usize| (0..count).map(|id| (id.to_string(), json!(format!("L{id}")))).collect();
    vec![
        ("vocab_size", json!(1_000_000_000_000_u64), "vocab_size is 1000000000000; the maximum is"),
        ("vocab_size", json!(2_000_000_000), "do not belong to the same model"),
        ("vocab_size", json!(-1), "invalid value: integer `-1`"),
        ("vocab_size", json!(99.0), "invalid type: floating point"),
        ("vocab_size", json!("99"), "invalid type: string"),
        ("vocab_size", json!(0), "vocab_size is 0"),
        ("hidden_size", json!(1_000_000), "do not belong to the same model"),
        ("hidden_size", json!(u64::MAX), "hidden_size is 18446744073709551615; the maximum is"),
        ("num_hidden_layers", json!(1_000_000_000), "do not belong to the same model"),
        ("intermediate_size", json!(2_000_000_000), "do not belong to the same model"),
        ("max_position_embeddings", json!(2_000_000_000), "do not belong to the same model"),
        ("type_vocab_size", json!(2_000_000_000), "do not belong to the same model"),
        ("num_attention_heads", json!(0), "num_attention_heads is 0"),
        ("num_attention_heads", json!(7), "is not a multiple of num_attention_heads 7"),
        ("hidden_dropout_prob", json!(1.5), "hidden_dropout_prob is 1.5"),
        ("attention_probs_dropout_prob", json!(-0.1), "attention_probs_dropout_prob is -0.1"),
        ("layer_norm_eps", json!(0), "layer_norm_eps is 0"),
        ("layer_norm_eps", json!(-1e-12), "must be greater than 0"),
        ("initializer_range", json!(-0.02), "initializer_range is -0.02"),
        ("hidden_act", json!("relu"), "hidden_act is relu"),
        ("model_type", json!("gpt2"), "model_type is gpt2"),
        ("id2label", json!({}), "id2label is empty"),
        ("id2label", json!({"0": "only"}), "classifier.weight has shape"),
        ("id2label", json!({"0": "a", "2": "b"}), "without gaps"),
        ("id2label", json!({"1": "a", "2": "b"}), "without gaps"),
        ("id2label", json!({"0": "a", "1": "a"}), "two ids the name \"a\""),
        ("id2label", json!({"-1": "a", "0": "b"}), "config.json"),
        ("id2label", json!(["a", "b"]), "config.json"),
        ("id2label", Value::Object(numbered(5000)), "5000 labels; the maximum is 4096"),
        ("id2label", Value::Object(numbered(1000)), "classifier.weight has shape"),
        ("problem_type", json!("ranking"), "problem_type is ranking"),
        ("thresholds", json!([0.5]), "only multi-label models"),
    ]
}

#[test]
fn invalid_configs_are_refused_by_key() {
    let folder = folder_of("tiny_bert", &FILES);
    let good = fs::read(folder.path().join("config.json")).unwrap();
    let config: Value = serde_json::from_slice(&good).unwrap();
    let mut target = FuzzTarget::new(folder.path().join("config.json"), load_and_run);
    target.file("undamaged", &good).unwrap();
    for (key, value, expected) in wrong_values() {
        let mut wrong = config.clone();
        wrong[key] = value;
        let error = target.refused(key, wrong.to_string());
        assert!(error.contains(expected), "{key}: {error:?} lacks {expected:?}");
    }
    let mut counted = config.clone();
    counted.as_object_mut().unwrap().shift_remove("id2label");
    for (count, expected) in
        [(1, "classifier.weight has shape"), (1_000_000_000_000_u64, "the maximum is 4096")]
    {
        counted["num_labels"] = json!(count);
        let error = target.refused("num_labels", counted.to_string());
        assert!(error.contains(expected), "{error}");
    }
    let text = config.to_string();
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let duplicate = text.replacen('{', "{\"vocab_size\": 1, ", 1);
    for (what, bytes) in [
        ("an empty file", vec![]),
        ("UTF-16", utf16),
        ("a BOM", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("invalid UTF-8", text.bytes().map(|byte| byte | 0x80).collect()),
        ("a duplicate key", duplicate.into_bytes()),
        ("deep nesting", b"[".repeat(1 << 20)),
        ("deep nesting in a key", format!("{{\"x\": {}", "[".repeat(1 << 20)).into_bytes()),
        ("a list", b"[]".to_vec()),
        ("a long list of numbers", format!("[{}0]", "0,".repeat(1 << 20)).into_bytes()),
    ] {
        target.refused(what, bytes);
    }
    println!("{}", target.finish(40, 0));
}

#[test]
fn mutated_configs_never_panic() {
    for (model, seed) in [
        ("tiny_bert", 1),
        ("tiny_distilbert", 2),
        ("families/roberta", 3),
        ("families/electra", 4),
        ("families/albert", 5),
        ("families/deberta-v2", 6),
        ("families/modernbert", 7),
        ("families/modernbert-cls", 8),
        ("families/mpnet", 9),
    ] {
        let folder = folder_of(model, &FILES);
        let good = fs::read(fixture(model).join("config.json")).unwrap();
        let config: Value = serde_json::from_slice(&good).unwrap();
        let mut target = FuzzTarget::new(folder.path().join("config.json"), load_and_run);
        let wrong = dropped_or_replaced(&config, 1000, seed);
        target.mutations(wrong.into_iter().map(|(what, config)| (what, config.to_string())));
        target.mutations(damaged(&good, 500, seed));
        println!("{}", target.finish(0, 1000));
    }
}

/// The check does not depend on the format of the weights.
#[test]
fn huge_models_are_refused_before_memory_is_allocated() {
    let folder = folder_of("tiny_distilbert", &FILES);
    let good = fs::read(folder.path().join("config.json")).unwrap();
    let config: Value = serde_json::from_slice(&good).unwrap();
    let mut target = FuzzTarget::new(folder.path().join("config.json"), load_and_run);
    for key in ["dim", "hidden_dim", "n_layers", "vocab_size", "max_position_embeddings"] {
        let error =
            target.refused(key, replaced(&config, &format!("/{key}"), json!(1_000_000_000)).to_string());
        assert!(error.contains("do not belong to the same model"), "{error}");
    }
    println!("{}", target.finish(5, 0));
}
