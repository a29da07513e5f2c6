//! Trains, evaluates, predicts, resumes and merges with adapters, end to end.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{fails, succeeds};

/// Trains a tiny base model and an adapter of it. Returns the output of the second run.
fn trained(folder: &Path) -> String {
    train_base(folder, 42);
    succeeds(folder, &format!("train {ADAPTER} --output_dir run"))
}

fn train_base(folder: &Path, seed: u64) {
    succeeds(
        folder,
        &format!(
            "train --recipe quickstart --vocab_size 300 --hidden_size 32 --num_hidden_layers 2 --intermediate_size 32 \
             --synthetic_reviews 200 --num_train_epochs 1 --seed {seed} --output_dir base --overwrite_output_dir"
        ),
    );
}

const ADAPTER: &str = "--model base --dataset synthetic --synthetic_reviews 200 --max_seq_length 96 --num_train_epochs 1 \
                       --per_device_train_batch_size 16 --learning_rate 1e-2 --eval_strategy epoch --save_strategy epoch \
                       --lora_target_modules query,key --lora_r 4 --lora_alpha 16 --lora_dropout 0.1";

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn logits(printed: &str) -> Vec<f64> {
    let line: Value = serde_json::from_str(printed.lines().next().unwrap()).unwrap();
    line["logits"].as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap()).collect()
}

#[test]
fn a_run_writes_the_files_of_peft_and_counts_trainable_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let printed = trained(folder.path());
    // 2 layers with query and key: 4·(32 + 32) each. The head: 32·2 + 2.
    assert!(printed.contains("trainable params: 1,090 || all params: "), "{printed}");
    let run = folder.path().join("run");
    let checkpoint =
        fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    for directory in [&run, &checkpoint.unwrap()] {
        for file in
            ["adapter_config.json", "adapter_model.safetensors", "model_config.json", "tokenizer.json"]
        {
            assert!(directory.join(file).is_file(), "{file}");
        }
        assert!(!directory.join("model.safetensors").exists());
        assert!(
            !directory.join("config.json").exists(),
            "transformers would open the directory as a complete model"
        );
    }
    let config = json(&run.join("adapter_config.json"));
    assert_eq!(config["base_model_name_or_path"], "base");
    assert_eq!(config["modules_to_save"], serde_json::json!(["classifier", "score"]));
    let card = fs::read_to_string(run.join("README.md")).unwrap();
    assert!(
        card.starts_with("---\nlibrary_name: peft\n") && card.contains("from_pretrained(\n    \"base\","),
        "{card}"
    );
    succeeds(folder.path(), "train --recipe run/recipe.toml --output_dir again");
    let weights = |run: &str| fs::read(folder.path().join(run).join("adapter_model.safetensors")).unwrap();
    assert!(weights("run") == weights("again"), "a run from the saved recipe is bit-identical");
}

#[test]
fn a_resumed_adapter_run_is_bit_identical_with_its_best_model() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let kind = "--use_dora --init_lora_weights olora";
    let flags = "--bf16 --save_strategy steps --save_steps 3 --eval_strategy steps --eval_steps 2 --load_best_model_at_end";
    succeeds(folder.path(), &format!("train {ADAPTER} {kind} {flags} --output_dir uninterrupted"));
    let weights = |run: &str| fs::read(folder.path().join(run).join("adapter_model.safetensors")).unwrap();
    let best =
        json(&folder.path().join("uninterrupted/trainer_state.json"))["best_global_step"].as_u64().unwrap();
    for step in [3, 6, best] {
        let output_dir = format!("from-{step}");
        let from = format!("uninterrupted/checkpoint-{step}");
        let printed = succeeds(
            folder.path(),
            &format!(
                "train --resume_from_checkpoint {from} --output_dir {output_dir} --overwrite_output_dir"
            ),
        );
        assert!(printed.contains(&format!("resuming from {from}: step {step}")), "{printed}");
        assert!(weights(&output_dir) == weights("uninterrupted"), "from step {step}");
    }
}

#[test]
fn an_adapter_run_does_not_resume_with_another_base() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    train_base(folder.path(), 43);
    let message = fails(
        folder.path(),
        2,
        "train --resume_from_checkpoint run --num_train_epochs 2 --output_dir further",
    );
    assert!(
        message.starts_with("error: the base model's weights differ from those of the checkpoint's run"),
        "{message}"
    );
}

#[test]
fn evaluation_and_prediction_find_the_base_or_take_it_from_a_flag() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let results = json(&folder.path().join("run/eval_results.json"));
    let printed = succeeds(folder.path(), "evaluate --model run");
    let evaluation: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    for key in ["eval_accuracy", "eval_f1", "eval_loss"] {
        assert_eq!(evaluation[key], results[key], "{key}");
    }
    let adapted = succeeds(folder.path(), "predict --model run --logits good");
    fs::rename(folder.path().join("base"), folder.path().join("elsewhere")).unwrap();
    let message = fails(folder.path(), 1, "predict --model run good");
    assert!(
        message.contains("it is the base of the adapter in run; name its directory with --base"),
        "{message}"
    );
    assert_eq!(succeeds(folder.path(), "predict --model run --base elsewhere --logits good"), adapted);

    succeeds(folder.path(), "merge --model run --base elsewhere --output merged");
    let merged = succeeds(folder.path(), "predict --model merged --max_seq_length 96 --logits good");
    for (merged, adapted) in logits(&merged).into_iter().zip(logits(&adapted)) {
        assert!((merged - adapted).abs() < 1e-5, "{merged} is not {adapted}");
    }
    assert!(folder.path().join("merged/model.safetensors").is_file());
    let message = fails(folder.path(), 2, "merge --model run --base elsewhere --output merged");
    assert!(message.contains("merged is not empty"), "{message}");
    let message = fails(folder.path(), 1, "merge --model elsewhere --output other");
    assert!(message.contains("elsewhere: this directory has no adapter to merge"), "{message}");
    let message = fails(folder.path(), 2, "predict --model merged --base elsewhere good");
    assert!(message.contains("--base is given, but merged holds no adapter"), "{message}");
}

#[test]
fn an_adapter_can_be_trained_further() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let plain = ADAPTER.split(" --lora").next().unwrap();
    succeeds(folder.path(), &format!("train {plain} --adapter run --learning_rate 0 --output_dir same"));
    let weights = |run: &str| fs::read(folder.path().join(run).join("adapter_model.safetensors")).unwrap();
    assert!(weights("run") == weights("same"), "a learning rate of 0 does not change the adapter");
    let message = fails(folder.path(), 2, &format!("train {ADAPTER} --adapter run --output_dir other"));
    assert!(message.contains("the adapter of --adapter has its own LoRA settings"), "{message}");
}

#[test]
fn adapter_flags_set_recipe_keys() {
    let folder = tempfile::tempdir().unwrap();
    let config = |flags: &str| -> toml::Table {
        succeeds(folder.path(), &format!("train --print_config {flags}")).parse().unwrap()
    };
    assert!(!config("").contains_key("lora"));
    let recipe = config(
        "--lora-target-modules query,key --layers_to_transform 10,11 --rank_pattern query=4,11.attention.self.key=16 \
         --alpha_pattern key=0.5 --lora_bias lora_only --use_rslora --use_dora --init_lora_weights pissa_niter_4 \
         --modules_to_save pooler",
    );
    let lora = &recipe["lora"];
    assert_eq!(lora["r"].as_integer(), Some(8));
    assert_eq!(lora["target_modules"].as_array().unwrap().len(), 2);
    assert_eq!(lora["layers_to_transform"].as_array().unwrap().len(), 2);
    assert_eq!(
        lora["rank_pattern"].as_table().unwrap().keys().collect::<Vec<_>>(),
        ["query", "11.attention.self.key"]
    );
    assert_eq!(lora["alpha_pattern"]["key"].as_float(), Some(0.5));
    assert_eq!((lora["bias"].as_str(), lora["use_rslora"].as_bool()), (Some("lora_only"), Some(true)));
    assert_eq!(lora["use_dora"].as_bool(), Some(true));
    assert_eq!(lora["init_lora_weights"].as_str(), Some("pissa_niter_4"));
    let default = config("--init_lora_weights true");
    assert_eq!(default["lora"]["init_lora_weights"].as_bool(), Some(true));
    let one = config("--lora_target_modules query --layers_to_transform 3");
    assert!(one["lora"]["target_modules"].is_array(), "a single name is a list too");
    for pattern in [r".*\.(query|key)", "all-linear"] {
        let recipe = config(&format!("--lora_target_modules {pattern}"));
        assert_eq!(recipe["lora"]["target_modules"].as_str(), Some(pattern));
    }
    let printed = succeeds(folder.path(), "train --print_config --rank_pattern query=4,key=8");
    fs::write(folder.path().join("mine.toml"), &printed).unwrap();
    assert_eq!(succeeds(folder.path(), "train --print_config --recipe mine.toml"), printed);
}

#[test]
fn invalid_adapter_settings_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("--lora_r 0", "lora.r: a rank is 0; it must be at least 1"),
        ("--lora_dropout 1", "lora.lora_dropout: it is 1; it must be at least 0 and less than 1"),
        ("--lora_bias some", "unknown variant `some`"),
        (
            "--init_lora_weights svd",
            "init_lora_weights is svd; it must be true, gaussian, pissa, pissa_niter_N with a number N, or olora",
        ),
        ("--rank_pattern query", "--rank_pattern is query; it must be NAME=NUMBER,NAME=NUMBER"),
        (
            "--lora_target_modules all-linear --layers_to_transform 1",
            "lora.layers_to_transform: it requires target_modules",
        ),
        ("--set lora.rank=4", "unknown key lora.rank; `embert train --print_config` shows all keys"),
        (
            "--recipe quickstart --lora_r 4",
            "an adapter needs a pretrained model: model.scratch has random weights",
        ),
    ];
    for (arguments, expected) in cases {
        let message = fails(folder.path(), 2, &format!("train {arguments}"));
        assert!(message.contains(expected), "{arguments}: {message}");
    }
}
