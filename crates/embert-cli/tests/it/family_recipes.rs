//! The recipes of other families, with tiny models: their settings reach the run.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use embert_model::{AutoConfig, AutoModelForSequenceClassification, save_pretrained};
use serde_json::Value;
use toml::Table;

use crate::families::folder_of;
use crate::succeeds;

/// A recipe, the family of its model, the table of positions of that model, and the warm-up steps of a run of 20 steps.
const RECIPES: [(&str, &str, usize, usize); 4] = [
    ("imdb-roberta", "roberta", 514, 2), // 6 % of 20 steps, rounded up
    ("imdb-xlm-r", "xlm-roberta", 514, 2),
    ("imdb-deberta-v3", "deberta-v2", 512, 500),
    ("imdb-modernbert", "modernbert", 8192, 0),
];
const STEPS: usize = 20;

/// Returns a folder with rows, one longer than the 512 tokens of most recipes, and a tiny model with this number of positions.
fn folder_of_recipe(family: &str, positions: usize) -> tempfile::TempDir {
    let folder = folder_of(family);
    let model = folder.path().join("model");
    let config = fs::read_to_string(model.join("config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["max_position_embeddings"] = positions.into();
    fs::write(model.join("config.json"), config.to_string()).unwrap();
    let config = AutoConfig::from_dir(&model).unwrap();
    let weights = AutoModelForSequenceClassification::new(&config, 0, &Device::flex());
    save_pretrained(&weights, &config, &model).unwrap();
    let mut rows = String::from("text,label\n");
    for row in 0..40 {
        let words = if row == 0 { 600 } else { 5 };
        writeln!(rows, "{},{}", "apple ".repeat(words), ["NEGATIVE", "POSITIVE"][row % 2]).unwrap();
    }
    fs::write(folder.path().join("rows.csv"), rows).unwrap();
    folder
}

fn recipe(path: &Path) -> Table {
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Returns the number if the value is one: 3 equals 3.0.
fn number(value: &toml::Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|integer| integer as f64))
}

#[track_caller]
fn assert_saved(saved: &Table, expected: &Table, section: &str) {
    for (key, value) in expected[section].as_table().unwrap() {
        let found = &saved[section][key];
        let is_equal = found == value || number(found).is_some() && number(found) == number(value);
        assert!(is_equal || key == "dataset_name", "{section}.{key}: {found}, not {value}");
    }
}

/// Returns the learning rate of each step.
fn learning_rates(run: &Path) -> Vec<f64> {
    let state = fs::read_to_string(run.join("trainer_state.json")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    let log = state["log_history"].as_array().unwrap();
    log.iter().filter_map(|entry| entry["learning_rate"].as_f64()).collect()
}

/// Returns the factor of a step: linear warm-up, then linear decay to 0 after the last step.
fn factor(step: usize, warm_up: usize) -> f64 {
    if step < warm_up {
        step as f64 / warm_up as f64
    } else {
        (STEPS - step) as f64 / (STEPS - warm_up) as f64
    }
}

#[test]
fn the_settings_of_a_recipe_reach_a_run_of_its_family() {
    for (name, family, positions, warm_up) in RECIPES {
        let folder = folder_of_recipe(family, positions);
        let data = "--train_file rows.csv --validation_file rows.csv";
        succeeds(
            folder.path(),
            &format!(
                "train --recipe {name} --model model {data} --max_steps {STEPS} --logging_steps 1 --device cpu --output_dir run"
            ),
        );
        let run = folder.path().join("run");
        let saved = recipe(&run.join("recipe.toml"));
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes").join(format!("{name}.toml"));
        let expected = recipe(&file);
        assert_saved(&saved, &expected, "data");
        assert_saved(&saved, &expected, "train");
        let rates = learning_rates(&run);
        assert_eq!(rates.len(), STEPS, "{name}");
        let learning_rate = number(&expected["train"]["learning_rate"]).unwrap();
        for (step, rate) in rates.into_iter().enumerate() {
            let expected = learning_rate * factor(step, warm_up);
            assert!(
                (rate - expected).abs() < 1e-9 * learning_rate,
                "{name}, step {step}: {rate}, not {expected}"
            );
        }
        succeeds(folder.path(), "predict --model run apple");
    }
}
