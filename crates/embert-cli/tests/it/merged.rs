//! A merged model has the same logits as its adapter, also on long texts.

use std::fs;

use serde_json::Value;

use crate::tiny::{SHAPE, write_csv};
use crate::{fails, succeeds};

#[test]
fn a_merged_model_reads_files_as_its_adapter_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["apple", "river"], 24);
    succeeds(path, &format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir base"));
    let rows =
        (0..24).map(|row| format!("{row};{0} {row};{0}\n", ["apple", "river"][row % 2])).collect::<String>();
    fs::write(path.join("headless.csv"), rows).unwrap();
    succeeds(
        path,
        "train --model base --dataset headless.csv --csv_column_names id,words,label --csv_separator ; \
         --text_column_name words --max_seq_length 16 --lora_r 4 --lora_target_modules query,value --max_steps 2 \
         --output_dir adapter",
    );
    succeeds(path, "merge --model adapter --output merged");
    let labels = |model: &str| {
        let printed = succeeds(path, &format!("predict --model {model} --input headless.csv"));
        assert_eq!(printed.lines().count(), 24, "{model}");
        printed.lines().next().unwrap().split(",\"score\"").next().unwrap().to_owned()
    };
    assert_eq!(labels("adapter"), labels("merged"));
}

#[test]
fn a_merged_model_truncates_and_cleans_texts_as_its_adapter_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 24);
    succeeds(path, &format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir base"));
    let long =
        ["apple <br /> river ".repeat(20), format!("{}apple", "river ".repeat(40)), "stone".to_owned()];
    let lines = long.map(|text| serde_json::json!({ "text": text }).to_string()).join("\n");
    fs::write(path.join("long.jsonl"), lines).unwrap();
    for (index, reading) in [
        "--max_seq_length 12",
        "--max_seq_length 12 --truncation_side left",
        "--max_seq_length 14 --truncation_side head+tail(4,8)",
        "--max_seq_length 20 --clean",
    ]
    .into_iter()
    .enumerate()
    {
        let lora = "--lora_r 4 --lora_target_modules query,value --learning_rate 1e-2 --max_steps 3";
        succeeds(
            path,
            &format!("train --model base --dataset rows.csv {lora} {reading} --output_dir adapter{index}"),
        );
        succeeds(path, &format!("merge --model adapter{index} --output merged{index}"));
        let logits = |model: &str| {
            let printed =
                succeeds(path, &format!("predict --model {model}{index} --input long.jsonl --logits"));
            let rows = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            rows.flat_map(|row| row["logits"].as_array().unwrap().clone())
                .map(|logit| logit.as_f64().unwrap())
                .collect::<Vec<_>>()
        };
        let (adapter, merged) = (logits("adapter"), logits("merged"));
        assert_eq!(adapter.len(), 6);
        for (a, b) in adapter.iter().zip(&merged) {
            assert!((a - b).abs() < 1e-5, "{reading}: {adapter:?} {merged:?}");
        }
        let message = fails(path, 2, &format!("merge --model adapter{index} --output adapter{index}"));
        assert!(message.contains("not empty"), "{message}");
    }
}
