//! Runs of the tiny models of each family: full fine-tuning, adapters, resumption, prediction and merging.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::tiny::write_csv;
use crate::{fails, succeeds};

const FAMILIES: [(&str, &str); 8] = [
    ("modernbert", "model"),
    ("deberta-v2", "deberta"),
    ("albert", "albert"),
    ("mpnet", "mpnet"),
    ("roberta", "roberta"),
    ("xlm-roberta", "roberta"),
    ("camembert", "roberta"),
    ("electra", "electra"),
];

/// Flags that use every part of training: groups of equal lengths, checkpointing, decay by layer and unfreezing.
const TRAIN: &str = "--num_train_epochs 2 --per_device_train_batch_size 4 --max_seq_length 40 --gradient_checkpointing \
                     --train_sampling_strategy group_by_length --layer_wise_lr_decay 0.9 --bf16 --save_strategy epoch";

/// Returns a folder with `rows.csv` and the family's model of embert-model, with a WordPiece vocabulary.
pub(crate) fn folder_of(family: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    fs::create_dir(&model).unwrap();
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../embert-model/tests/fixtures/families").join(family);
    for file in ["config.json", "model.safetensors"] {
        fs::copy(fixture.join(file), model.join(file)).unwrap();
    }
    let special =
        if family == "mpnet" { "<s> <pad> </s> [UNK] <mask>" } else { "[PAD] [UNK] [CLS] [SEP] [MASK]" };
    let words = special.split(' ').chain("apple river stone number of the kind".split(' '));
    let numbers = (0..49).map(|number| number.to_string());
    let vocabulary = words.map(String::from).chain(numbers).collect::<Vec<_>>();
    fs::write(model.join("vocab.txt"), vocabulary.join("\n")).unwrap();
    fs::write(model.join("tokenizer_config.json"), r#"{"do_lower_case": true}"#).unwrap();
    write_csv(folder.path(), "rows.csv", &["NEGATIVE", "NEUTRAL", "POSITIVE"], 24);
    folder
}

fn logits(folder: &Path, model: &str) -> Vec<f64> {
    let printed = succeeds(folder, &format!("predict --model {model} --input rows.csv --logits"));
    let rows = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let logits = rows.flat_map(|row| row["logits"].as_array().unwrap().clone());
    logits.map(|logit| logit.as_f64().unwrap()).collect()
}

fn weights(folder: &Path, run: &str) -> Vec<u8> {
    fs::read(folder.join(run).join("model.safetensors")).unwrap()
}

#[test]
fn each_family_is_fine_tuned_and_a_resumed_run_is_bit_identical() {
    for (family, prefix) in FAMILIES {
        let folder = folder_of(family);
        let path = folder.path();
        let freezing =
            format!("--freeze {prefix}.embeddings --gradual_unfreezing 1:{prefix}.embeddings.*_embeddings");
        succeeds(
            path,
            &format!("train --model model --dataset rows.csv {TRAIN} {freezing} --output_dir run"),
        );
        succeeds(path, "train --resume_from_checkpoint run/checkpoint-6 --output_dir again");
        assert!(weights(path, "run") == weights(path, "again"), "{family}");
        assert!(weights(path, "run") != weights(path, "model"), "{family}");
        assert_eq!(logits(path, "run").len(), 3 * 24, "{family}");
        let config = fs::read_to_string(path.join("run/config.json")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&config).unwrap()["model_type"], family);
    }
}

#[test]
fn an_adapter_of_each_family_has_the_logits_of_the_merged_model() {
    for (family, _) in FAMILIES {
        let folder = folder_of(family);
        let path = folder.path();
        let targets = match family {
            "deberta-v2" => "query_proj,value_proj,dense",
            "modernbert" => "Wqkv,Wo,Wi",
            "mpnet" => "q,v,o,dense",
            _ => "query,value,dense",
        };
        let lora = format!(
            "--lora_r 4 --lora_target_modules {targets} --learning_rate 1e-2 --num_train_epochs 1 --max_seq_length 40"
        );
        succeeds(path, &format!("train --model model --dataset rows.csv {lora} --output_dir run"));
        succeeds(path, "merge --model run --output merged");
        let (adapter, merged) = (logits(path, "run"), logits(path, "merged"));
        for (a, b) in adapter.iter().zip(&merged) {
            assert!((a - b).abs() < 1e-5, "{family}: {a} {b}");
        }
        assert_ne!(adapter, logits(path, "model"), "{family}");
    }
}

#[test]
fn texts_are_at_most_as_long_as_the_positions_after_the_padding() {
    let folder = folder_of("roberta");
    let message = fails(folder.path(), 2, "check --model model --dataset rows.csv --max_seq_length 41");
    assert!(message.contains("max_length 41 is more than the model's 40 positions"), "{message}");
    succeeds(folder.path(), "check --model model --dataset rows.csv --max_seq_length 40");
}
