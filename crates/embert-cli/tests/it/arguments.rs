//! Flags and recipes, and the errors for wrong ones.

use std::fs;

use crate::{fails, succeeds};

fn config(arguments: &str) -> toml::Table {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), &format!("train --print_config {arguments}")).parse().unwrap()
}

#[test]
fn the_default_recipe_is_imdb() {
    let config = config("");
    assert_eq!(config["data"]["dataset_name"].as_str(), Some("imdb"));
    assert_eq!(config["model"]["model_name_or_path"].as_str(), Some("bert-base-uncased"));
}

#[test]
fn flags_that_name_data_start_from_defaults() {
    for flags in ["--dataset reviews.csv", "--train_file reviews.csv", "--set data.train_file=reviews.csv"] {
        let config = config(flags);
        assert_eq!(config["train"]["warmup_ratio"].as_float(), Some(0.0), "{flags}");
        assert_eq!(config["data"]["truncation_side"].as_str(), Some("right"), "{flags}");
    }
    assert_eq!(config("--model dir")["train"]["warmup_ratio"].as_float(), Some(0.1));
}

#[test]
fn every_recipe_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let help = succeeds(folder.path(), "train --help");
    let recipes = ["quickstart", "imdb", "imdb-bert-500", "imdb-bert-2k", "imdb-bert-full-1k"];
    let more = ["imdb-bert-full-1k-sane", "imdb-bert-lora-1k", "imdb-distilbert-lora", "synthetic-bert"];
    let families = ["imdb-deberta-v3", "imdb-modernbert", "imdb-roberta", "imdb-xlm-r"];
    for name in recipes.into_iter().chain(more).chain(families) {
        assert!(help.contains(name), "{name} is not in the help");
        assert_eq!(
            config(&format!("--recipe {name}"))["output"]["output_dir"].as_str().unwrap(),
            format!("runs/{name}")
        );
    }
}

#[test]
fn flags_in_both_spellings_and_old_names_set_recipe_keys() {
    let config = config(
        "--learning-rate 1e-4 --max_length=64 --evaluation_strategy steps --group_by_length --output_dir a_b-c",
    );
    assert_eq!(config["train"]["learning_rate"].as_float(), Some(1e-4));
    assert_eq!(config["data"]["max_seq_length"].as_integer(), Some(64));
    assert_eq!(config["train"]["eval_strategy"].as_str(), Some("steps"));
    assert_eq!(config["train"]["train_sampling_strategy"].as_str(), Some("group_by_length"));
    assert_eq!(config["output"]["output_dir"].as_str(), Some("a_b-c"));
}

#[test]
fn flags_override_set_and_set_overrides_the_recipe() {
    let config = config("--recipe quickstart --set train.seed=1 --set train.num_train_epochs=2 --seed 3");
    assert_eq!(config["train"]["seed"].as_integer(), Some(3));
    assert_eq!(config["train"]["num_train_epochs"].as_float(), Some(2.0));
    assert_eq!(config["data"]["dataset_name"].as_str(), Some("synthetic"));
}

#[test]
fn a_flag_displaces_conflicting_recipe_keys() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = "[data]\ntrain_file = 'old.csv'\nvalidation_file = 'oldv.csv'\ntest_file = 'oldt.csv'\n\
                  [train]\nmax_steps = 9\nwarmup_steps = 5\n[lora]\nr = 4\n";
    fs::write(folder.path().join("mine.toml"), recipe).unwrap();
    let scratch = "vocab_size = 9\nhidden_size = 4\nnum_hidden_layers = 1\nnum_attention_heads = 1\n\
                   intermediate_size = 4\nmax_position_embeddings = 8\n";
    fs::write(folder.path().join("scratch.toml"), format!("[model.scratch]\n{scratch}")).unwrap();
    let print = |flags: &str| {
        let printed = succeeds(folder.path(), &format!("train --print_config {flags}"));
        printed.parse::<toml::Table>().unwrap()
    };
    for (flags, section, gone) in [
        ("--recipe mine.toml --dataset new.csv", "data", &["train_file", "validation_file", "test_file"][..]),
        ("--recipe mine.toml --set data.dataset_name=new.csv", "data", &["train_file", "validation_file"]),
        ("--recipe mine.toml --test_file new.csv", "data", &["validation_file"]),
        ("--recipe mine.toml --num_train_epochs 2", "train", &["max_steps"]),
        ("--recipe scratch.toml --model dir", "model", &["scratch"]),
        ("--recipe quickstart --model dir", "model", &["scratch"]),
    ] {
        let section = print(flags)[section].as_table().unwrap().clone();
        assert!(gone.iter().all(|key| !section.contains_key(*key)), "{flags}: {section}");
    }
    let config = print("--recipe mine.toml --warmup_ratio 0.2");
    assert_eq!(config["train"]["warmup_steps"].as_integer(), Some(0));
    let config = print("--recipe imdb --warmup_steps 0.2");
    assert_eq!(config["train"]["warmup_steps"].as_float(), Some(0.2));
    assert_eq!(config["train"]["warmup_ratio"].as_float(), Some(0.0));
    assert!(print("--recipe mine.toml --adapter dir").get("lora").is_none());
    let kept = print(
        "--recipe mine.toml --dataset new.csv --validation_file v.csv --max_steps 3 --num_train_epochs 2",
    );
    assert_eq!(kept["data"]["validation_file"].as_str(), Some("v.csv"));
    assert_eq!(kept["train"]["max_steps"].as_integer(), Some(3));
    let message = fails(folder.path(), 2, "train --recipe quickstart --model dir --hidden_size 8");
    assert!(message.contains("--hidden_size"), "{message}");
}

#[test]
fn steps_below_one_are_a_share_of_the_run() {
    for key in ["warmup_steps", "logging_steps", "eval_steps", "save_steps"] {
        for flags in [format!("--{key} 0.06"), format!("--set train.{key}=0.06")] {
            assert_eq!(config(&flags)["train"][key].as_float(), Some(0.06), "{flags}");
        }
        assert_eq!(config(&format!("--{key} 7"))["train"][key].as_integer(), Some(7), "{key}");
    }
}

#[test]
fn scheduler_settings_are_pairs_or_json() {
    let restarts = "--lr_scheduler_type cosine_with_restarts";
    for flags in [
        format!("{restarts} --lr_scheduler_kwargs num_cycles=2"),
        format!("{restarts} --lr_scheduler_kwargs {{\"num_cycles\":2}}"),
        format!("{restarts} --set train.lr_scheduler_kwargs.num_cycles=2"),
        format!("{restarts} --set train.lr_scheduler_kwargs={{num_cycles=2}}"),
    ] {
        let config = config(&flags);
        assert_eq!(config["train"]["lr_scheduler_kwargs"]["num_cycles"].as_integer(), Some(2), "{flags}");
    }
    let decay =
        "--lr_scheduler_type warmup_stable_decay --lr_scheduler_kwargs num_decay_steps=3,decay_type=1-sqrt";
    assert_eq!(config(decay)["train"]["lr_scheduler_kwargs"]["decay_type"].as_str(), Some("1-sqrt"));
}

#[test]
fn a_printed_recipe_resolves_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let printed = succeeds(folder.path(), "train --print_config --recipe quickstart --class_weights 1,2.5");
    fs::write(folder.path().join("mine.toml"), &printed).unwrap();
    assert_eq!(succeeds(folder.path(), "train --print_config --recipe mine.toml"), printed);
}

#[test]
fn wrong_arguments_are_usage_errors_that_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("typo.toml"), "[train]\nlearning_rat = 1e-5\n").unwrap();
    fs::write(folder.path().join("broken.toml"), "[train\n").unwrap();
    let cases = [
        ("train --learning_rat 1", "learning_rate"),
        ("train --learning_rate fast", "--learning_rate is fast; it must be a number"),
        ("train --learning_rate -1", "learning_rate is -1; it must be a number, 0 or more"),
        (
            "train --set train.learning_rat=1",
            "unknown key train.learning_rat; did you mean train.learning_rate?",
        ),
        ("train --save_steps 1.5", "1.5 must be a whole number of steps, or a share of the run below 1"),
        (
            "train --lr_scheduler_kwargs power",
            "--lr_scheduler_kwargs is power; it must be NAME=VALUE,NAME=VALUE or a JSON object",
        ),
        (
            "train --recipe quickstart --lr_scheduler_type cosine --lr_scheduler_kwargs power=2",
            "lr_scheduler_kwargs is power=2; it must be num_cycles (0 to 1000000) for cosine",
        ),
        ("train --set seed", "--set seed: it must be KEY=VALUE"),
        (
            "train --recipe typo.toml",
            "recipe typo.toml: unknown key train.learning_rat; did you mean train.learning_rate?",
        ),
        ("train --recipe broken.toml", "recipe broken.toml: "),
        ("train --recipe nowhere", "it must be a TOML file or one of quickstart, quickstart-pairs"),
        ("train --recipe quickstart --lr_scheduler_type linaer", "unknown variant `linaer`"),
        (
            "train --recipe quickstart --device tpu",
            "--device tpu: a device is cpu, wgpu, wgpu:N, cuda or cuda:N",
        ),
        ("train --recipe quickstart --truncation_side middle", "middle"),
        ("train --recipe quickstart --max_seq_length 1000", "1000"),
        ("predict text", "--model"),
    ];
    for (arguments, expected) in cases {
        let message = fails(folder.path(), 2, arguments);
        assert!(message.contains(expected), "{arguments}: {message}");
    }
    assert!(
        !folder.path().join("runs").join("quickstart").exists(),
        "a run that did not start leaves no files"
    );
}

#[test]
fn missing_data_and_data_with_one_class_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("one.csv"), "text,label\nfine,1\ngood,1\nnice,1\n").unwrap();
    let cases = [
        ("--dataset nowhere.csv", "nowhere.csv: there is no such file or directory"),
        ("--dataset one.csv --validation_file one.csv", "class"),
        ("--dataset one.csv --text_column_name review", "review"),
    ];
    for (arguments, expected) in cases {
        let message = fails(folder.path(), 3, &format!("check --recipe quickstart {arguments}"));
        assert!(message.contains(expected), "{arguments}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn offline_without_a_cache_the_error_names_the_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let message = fails(folder.path(), 1, "train");
    assert!(message.contains("stanfordnlp/imdb"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn the_short_help_has_the_most_used_flags_and_examples() {
    let folder = tempfile::tempdir().unwrap();
    let [short, long] = ["train -h", "train --help"].map(|arguments| succeeds(folder.path(), arguments));
    for flag in [
        "--model <",
        "--train_file <",
        "--learning_rate <",
        "--lora_r <",
        "--output_dir <",
        "embert help recipes",
    ] {
        assert!(short.contains(flag) && long.contains(flag), "{flag}: {short}");
    }
    assert!(!short.contains("--adam_beta1") && long.contains("--adam_beta1"), "{short}");
    assert!(short.lines().count() < 80, "{short}");
}

#[test]
fn completions_manual_pages_and_topics_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = succeeds(folder.path(), &format!("completions {shell}"));
        assert!(script.contains("embert") && script.contains("learning_rate"), "{shell}");
    }
    for (arguments, expected) in [
        ("man", ".TH embert 1"),
        ("man train", ".TH embert-train 1"),
        ("help", "Fine-tunes BERT-family encoders"),
        ("help predict", "embert predict --model"),
        ("help recipes", "imdb-bert-500"),
        ("help models", "  xlm-roberta  xlm-roberta-base"),
    ] {
        let text = succeeds(folder.path(), arguments);
        assert!(text.contains(expected), "{arguments}: {text}");
    }
    for arguments in ["help nonsense", "man nonsense"] {
        let message = fails(folder.path(), 2, arguments);
        assert!(message.contains("nonsense: no such command or topic"), "{message}");
    }
}
