//! config.json: sizes that nothing holds, values of other kinds, labels with gaps, and what is no JSON at all.

use std::fs;

use embert_hostile::{FuzzTarget, damaged, dropped_or_replaced, replaced};
use serde_json::{Value, json};

use crate::{fixture, folder_of, load_and_run};

const FILES: [&str; 2] = ["config.json", "model.safetensors"];

/// What is put into the config.json of the tiny BERT, and what the refusal says of it.
fn wrong_values() -> Vec<(&'static str, Value, &'static str)> {
    let numbered = |count: usize| (0..count).map(|id| (id.to_string(), json!(format!("L{id}")))).collect();
    vec![
        ("vocab_size", json!(1_000_000_000_000_u64), "vocab_size is 1000000000000, more than"),
        ("vocab_size", json!(2_000_000_000), "they do not belong together"),
        ("vocab_size", json!(-1), "invalid value: integer `-1`"),
        ("vocab_size", json!(99.0), "invalid type: floating point"),
        ("vocab_size", json!("99"), "invalid type: string"),
        ("vocab_size", json!(0), "vocab_size is 0"),
        ("hidden_size", json!(1_000_000), "they do not belong together"),
        ("hidden_size", json!(u64::MAX), "hidden_size is 18446744073709551615, more than"),
        ("num_hidden_layers", json!(1_000_000_000), "they do not belong together"),
        ("intermediate_size", json!(2_000_000_000), "they do not belong together"),
        ("max_position_embeddings", json!(2_000_000_000), "they do not belong together"),
        ("type_vocab_size", json!(2_000_000_000), "they do not belong together"),
        ("num_attention_heads", json!(0), "num_attention_heads is 0"),
        ("num_attention_heads", json!(7), "is not a multiple of num_attention_heads 7"),
        ("hidden_dropout_prob", json!(1.5), "hidden_dropout_prob is 1.5"),
        ("attention_probs_dropout_prob", json!(-0.1), "attention_probs_dropout_prob is -0.1"),
        ("layer_norm_eps", json!(0), "layer_norm_eps is 0"),
        ("layer_norm_eps", json!(-1e-12), "must be above 0"),
        ("initializer_range", json!(-0.02), "initializer_range is -0.02"),
        ("hidden_act", json!("relu"), "hidden_act is relu"),
        ("model_type", json!("gpt2"), "model_type is gpt2"),
        ("id2label", json!({}), "id2label names no labels"),
        ("id2label", json!({"0": "only"}), "one label means regression"),
        ("id2label", json!({"0": "a", "2": "b"}), "without a gap"),
        ("id2label", json!({"1": "a", "2": "b"}), "without a gap"),
        ("id2label", json!({"0": "a", "1": "a"}), "two labels \"a\""),
        ("id2label", json!({"-1": "a", "0": "b"}), "config.json"),
        ("id2label", json!(["a", "b"]), "config.json"),
        ("id2label", Value::Object(numbered(5000)), "5000 labels are more than 4096"),
        ("id2label", Value::Object(numbered(1000)), "classifier.weight has shape"),
        ("problem_type", json!("regression"), "problem_type is regression"),
    ]
}

#[test]
fn a_config_that_cannot_be_is_refused_by_key() {
    let folder = folder_of("tiny_bert", &FILES);
    let good = fs::read(folder.path().join("config.json")).unwrap();
    let config: Value = serde_json::from_slice(&good).unwrap();
    let mut attack = FuzzTarget::new(folder.path().join("config.json"), load_and_run);
    attack.file("unharmed", &good).unwrap();
    for (key, value, expected) in wrong_values() {
        let mut wrong = config.clone();
        wrong[key] = value;
        let error = attack.refused(key, wrong.to_string());
        assert!(error.contains(expected), "{key}: {error:?} lacks {expected:?}");
    }
    let mut counted = config.clone();
    counted.as_object_mut().unwrap().shift_remove("id2label");
    for (count, expected) in [(1, "one label means regression"), (1_000_000_000_000_u64, "more than 4096")] {
        counted["num_labels"] = json!(count);
        let error = attack.refused("num_labels", counted.to_string());
        assert!(error.contains(expected), "{error}");
    }
    let text = config.to_string();
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let twice = text.replacen('{', "{\"vocab_size\": 1, ", 1);
    for (what, bytes) in [
        ("nothing", vec![]),
        ("UTF-16", utf16),
        ("a BOM", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("no UTF-8", text.bytes().map(|byte| byte | 0x80).collect()),
        ("a key twice", twice.into_bytes()),
        ("deep", b"[".repeat(1 << 20)),
        ("deep in a key", format!("{{\"x\": {}", "[".repeat(1 << 20)).into_bytes()),
        ("a list", b"[]".to_vec()),
        ("a gigabyte of numbers would be as wide", format!("[{}0]", "0,".repeat(1 << 20)).into_bytes()),
    ] {
        attack.refused(what, bytes);
    }
    println!("{}", attack.finish(40, 0));
}

#[test]
fn no_damage_to_a_config_does_harm() {
    for (model, seed) in [("tiny_bert", 1), ("tiny_distilbert", 2)] {
        let folder = folder_of(model, &FILES);
        let good = fs::read(fixture(model).join("config.json")).unwrap();
        let config: Value = serde_json::from_slice(&good).unwrap();
        let mut attack = FuzzTarget::new(folder.path().join("config.json"), load_and_run);
        let wrong = dropped_or_replaced(&config, 1000, seed);
        attack.mutations(wrong.into_iter().map(|(what, config)| (what, config.to_string())));
        attack.mutations(damaged(&good, 500, seed));
        println!("{}", attack.finish(0, 1000));
    }
}

/// A file that describes more than its weights is refused whatever the weights are: a shard, half precision.
#[test]
fn a_model_of_a_trillion_parameters_is_refused_before_memory_is_asked_for() {
    let folder = folder_of("tiny_distilbert", &FILES);
    let good = fs::read(folder.path().join("config.json")).unwrap();
    let config: Value = serde_json::from_slice(&good).unwrap();
    let mut attack = FuzzTarget::new(folder.path().join("config.json"), load_and_run);
    for key in ["dim", "hidden_dim", "n_layers", "vocab_size", "max_position_embeddings"] {
        let error =
            attack.refused(key, replaced(&config, &format!("/{key}"), json!(1_000_000_000)).to_string());
        assert!(error.contains("they do not belong together"), "{error}");
    }
    println!("{}", attack.finish(5, 0));
}
