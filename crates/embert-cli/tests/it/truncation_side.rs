//! A run saves `truncation_side` for transformers, and a merged model keeps it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::succeeds;

const DATA: &str = "--dataset synthetic --synthetic_reviews 100 --max_seq_length 16 --num_train_epochs 1";

/// Returns `truncation_side` in tokenizer_config.json.
fn saved(folder: &Path, run: &str) -> Value {
    let config = fs::read_to_string(folder.join(run).join("tokenizer_config.json")).unwrap();
    serde_json::from_str::<Value>(&config).unwrap()["truncation_side"].clone()
}

#[test]
fn truncation_side_is_saved_and_survives_merging() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let tiny = "--vocab_size 300 --hidden_size 32 --num_hidden_layers 1 --intermediate_size 32";
    succeeds(folder, &format!("train --recipe quickstart {DATA} {tiny} --output_dir base"));
    assert_eq!(saved(folder, "base"), "right");
    let adapter = "--lora_target_modules query --lora_r 2 --truncation_side left --eval_strategy no";
    succeeds(folder, &format!("train --model base {DATA} {adapter} --output_dir run"));
    assert_eq!(saved(folder, "run"), "left");
    succeeds(folder, "merge --model run --output merged");
    assert_eq!(saved(folder, "merged"), "left");

    let logits = |beginning: &str| {
        let text = format!("{{\"text\": \"{}{}\"}}", beginning, " the film was good".repeat(30));
        fs::write(folder.join("rows.jsonl"), text).unwrap();
        let printed =
            succeeds(folder, "predict --model merged --max_seq_length 16 --input rows.jsonl --logits");
        let line: serde_json::Value = serde_json::from_str(&printed).unwrap();
        line["logits"].clone()
    };
    assert_eq!(logits("a bad story"), logits("a fine cast"), "the beginning changes the logits");
}
