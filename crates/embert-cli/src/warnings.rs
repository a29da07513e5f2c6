//! Warnings about valid but probably wrong settings: one line each, with the value and a remedy.

use std::path::Path;

use clap::ArgMatches;
use embert_data::overlap;
use embert_inference::TrainingSettings;
use embert_train::{IgnoredSetting, Metrics, Schedule, TrainConfig};

use crate::error::CliError;
use crate::examples::{Examples, synthetic};
use crate::model_source::ModelSource;
use crate::recipe::{DataSection, Recipe};
use crate::{hints, local_path, recipe, report};

/// Full fine-tuning above this learning rate often diverges or forgets the pretraining.
const HIGHEST_LEARNING_RATE: f64 = 2e-4;
/// An adapter hardly learns below this learning rate.
const LOWEST_ADAPTER_RATE: f64 = 5e-5;
const LONGEST_WARMUP: f64 = 0.2;

/// Returns warnings about a run's files and settings.
pub(crate) fn of_run(
    recipe: &Recipe,
    source: &ModelSource,
    examples: &Examples,
    matches: &ArgMatches,
) -> Vec<String> {
    let of_files = source.tokenizer.notes().iter().map(ToString::to_string);
    of_files.chain(of_data(recipe, examples, matches)).collect()
}

/// Returns warnings about a run's data and settings.
pub(crate) fn of_data(recipe: &Recipe, examples: &Examples, matches: &ArgMatches) -> Vec<String> {
    let of_files = examples.notes.iter().map(hints::of_note);
    of_files.chain(before_training(recipe, examples, matches)).collect()
}

fn before_training(recipe: &Recipe, examples: &Examples, matches: &ArgMatches) -> Vec<String> {
    let mut warnings = without_effect(recipe, matches);
    warnings.extend(learning_rate(recipe));
    let schedule = recipe.train.schedule(recipe.train.total_steps(examples.train.len()));
    warnings.extend(schedule.ok().as_ref().and_then(warmup));
    warnings.extend(never_unfrozen(&recipe.train, examples.train.len()));
    warnings.extend(
        examples
            .eval
            .as_ref()
            .and_then(|eval| known_rows(overlap(&eval.dataset, &examples.train), eval.dataset.len())),
    );
    warnings
}

/// Returns a warning about a setting that only CPUs have.
pub(crate) fn without_effect_on_gpu(config: &TrainConfig, is_cpu: bool) -> Option<String> {
    let batch_size = config.per_device_train_batch_size;
    (config.auto_find_batch_size && !is_cpu).then(|| {
        format!(
            "auto_find_batch_size has no effect: the memory of a GPU is not known before the run; \
             per_device_train_batch_size stays {batch_size}"
        )
    })
}

/// Returns warnings about given settings that have no effect in this run.
fn without_effect(recipe: &Recipe, matches: &ArgMatches) -> Vec<String> {
    let of_training = recipe.train.ignored_settings(recipe.evaluates());
    let of_training = of_training.iter().map(|IgnoredSetting { key, value, why }| {
        (format!("train.{key}"), format!("{key} {value} has no effect: {why}"))
    });
    let of_data = unused_data(recipe).into_iter().map(|(key, why)| (key.to_owned(), why));
    let given = of_training.chain(of_data).filter(|(key, _)| recipe::is_asked_for(key, matches));
    given.map(|(_, warning)| warning).chain(two_eval_files(&recipe.data)).collect()
}

/// Returns unused keys of the data section with the reason.
fn unused_data(recipe: &Recipe) -> Vec<(&'static str, String)> {
    let data = &recipe.data;
    let why = "eval_strategy is no: nothing is evaluated; --eval_strategy epoch or --do_eval evaluates";
    let has_splits = data.train_file.is_none() && !local_path::has_no_splits(&data.dataset_name);
    let of_evaluation = [
        "data.validation_file",
        "data.test_file",
        "data.test_split_name",
        "data.max_eval_samples",
        "data.pos_label",
        "data.fit_threshold",
        "data.validation_share",
    ];
    let of_evaluation = of_evaluation.into_iter().filter(|_| !recipe.evaluates()).map(|key| (key, why));
    let has_eval_rows = recipe.evaluates() && (data.eval_file().is_some() || has_splits);
    let rules = [
        (
            "data.validation_share",
            has_eval_rows,
            "no rows are held out, because other rows are used for evaluation",
        ),
        ("data.train_split_name", !has_splits, "a file has no splits"),
        ("data.test_split_name", recipe.evaluates() && !has_splits, "a file has no splits"),
        ("data.synthetic_reviews", synthetic(data).is_none(), "dataset_name is not synthetic"),
    ];
    let of_rules = rules.into_iter().filter(|(_, applies, _)| *applies).map(|(key, _, why)| (key, why));
    let line = |key: &str, why| format!("{} has no effect: {why}", key.trim_start_matches("data."));
    of_evaluation.chain(of_rules).map(|(key, why)| (key, line(key, why))).collect()
}

/// Warns if two evaluation files are given, because only one is read.
pub(crate) fn two_eval_files(data: &DataSection) -> Option<String> {
    let (used, ignored) = data.validation_file.as_ref().zip(data.test_file.as_ref())?;
    Some(format!("test_file {ignored} is not read: validation_file {used} is used instead"))
}

/// Warns if all predictions are the same label.
pub(crate) fn one_label(metrics: &Metrics, labels: &[String]) -> Option<String> {
    let label = metrics.only_predicted_label()?;
    let total = metrics.single_label()?.confusion_matrix.iter().flatten().sum::<u64>();
    Some(format!(
        "all {} predictions are {}: the model does not distinguish the classes; lower learning_rate, or train longer",
        report::grouped(total as usize),
        labels[label],
    ))
}

/// Warns if texts are truncated to another length than in training.
pub(crate) fn other_length(directory: &Path, recipe: &Recipe) -> Result<Option<String>, CliError> {
    let (now, trained) = (recipe.data.max_seq_length, TrainingSettings::from_dir(directory)?.max_length);
    Ok(trained.filter(|&trained| trained != now).map(|trained| {
        format!(
            "max_seq_length is {now}, and the model was trained with {trained}: it truncates long texts \
             differently than in training; leave --max_seq_length out"
        )
    }))
}

fn learning_rate(recipe: &Recipe) -> Option<String> {
    let rate = recipe.train.learning_rate;
    if recipe.lora.is_some() || recipe.model.adapter.is_some() {
        return (rate < LOWEST_ADAPTER_RATE).then(|| {
            format!(
                "learning_rate is {rate:e}: below {LOWEST_ADAPTER_RATE:e} an adapter hardly learns; 1e-4 to 2e-3 is usual"
            )
        });
    }
    let is_full_fine_tuning = recipe.model.scratch.is_none() && recipe.train.freeze.is_empty();
    (is_full_fine_tuning && rate > HIGHEST_LEARNING_RATE).then(|| {
        format!(
            "learning_rate is {rate:e}: above {HIGHEST_LEARNING_RATE:e} full fine-tuning mostly ends with the same \
             prediction for all texts; 2e-5 to 5e-5 is usual"
        )
    })
}

fn warmup(schedule: &Schedule) -> Option<String> {
    let share = schedule.warmup_steps as f64 / schedule.total_steps as f64;
    (share > LONGEST_WARMUP).then(|| {
        format!(
            "warm-up takes {} of {} steps ({:.0} %), and the learning rate is low during these steps; above {:.0} % is \
             rarely intended: warmup_ratio = 0.1 is usual",
            report::grouped(schedule.warmup_steps),
            report::grouped(schedule.total_steps),
            100.0 * share,
            100.0 * LONGEST_WARMUP,
        )
    })
}

fn never_unfrozen(config: &TrainConfig, num_examples: usize) -> Option<String> {
    let epochs = config.total_steps(num_examples).div_ceil(config.steps_per_epoch(num_examples));
    let late = config.gradual_unfreezing.iter().find(|entry| entry.epoch >= epochs as u64)?;
    Some(format!(
        "gradual_unfreezing has \"{late}\", and the run's last epoch is {}: these parameters are never trained",
        epochs - 1
    ))
}

fn known_rows(known: usize, total: usize) -> Option<String> {
    (known > 0).then(|| {
        format!(
            "{} of {} rows to evaluate on ({:.1} %) are also training rows, so their metrics say nothing about new texts; \
             remove them from one of the two",
            report::grouped(known),
            report::grouped(total),
            100.0 * known as f64 / total as f64,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(change: impl Fn(&mut Recipe)) -> Option<String> {
        let mut recipe = Recipe::default();
        recipe.train.learning_rate = 1e-3;
        change(&mut recipe);
        learning_rate(&recipe)
    }

    #[test]
    fn a_high_rate_causes_a_warning_only_for_full_fine_tuning() {
        assert!(rate(|_| ()).unwrap().starts_with("learning_rate is 1e-3: above 2e-4 "));
        assert_eq!(rate(|recipe| recipe.train.learning_rate = 2e-4), None);
        assert_eq!(rate(|recipe| recipe.train.freeze = vec!["bert".into()]), None);
        let scratch = "vocab_size = 1\nhidden_size = 1\nnum_hidden_layers = 1\nnum_attention_heads = 1\n\
                       intermediate_size = 1\nmax_position_embeddings = 1";
        assert_eq!(rate(|recipe| recipe.model.scratch = Some(toml::from_str(scratch).unwrap())), None);
    }

    #[test]
    fn a_long_warmup_causes_a_warning() {
        let schedule = |warmup_steps: usize| {
            let config = TrainConfig { warmup_steps: warmup_steps.into(), ..TrainConfig::default() };
            config.schedule(900).unwrap()
        };
        assert!(warmup(&schedule(500)).unwrap().starts_with("warm-up takes 500 of 900 steps (56 %)"));
        assert!(warmup(&schedule(181)).is_some());
        assert_eq!(warmup(&schedule(180)), None);
    }

    #[test]
    fn unfreezing_after_the_last_epoch_causes_a_warning() {
        let entries = |entry: &str| TrainConfig {
            gradual_unfreezing: vec![entry.parse().unwrap()],
            num_train_epochs: 2.5,
            ..TrainConfig::default()
        };
        assert_eq!(never_unfrozen(&entries("2:bert"), 16), None);
        assert!(
            never_unfrozen(&entries("3:bert"), 16)
                .unwrap()
                .contains("\"3:bert\", and the run's last epoch is 2")
        );
    }

    #[test]
    fn known_rows_are_counted() {
        assert_eq!(known_rows(0, 600), None);
        assert!(known_rows(30, 600).unwrap().starts_with("30 of 600 rows to evaluate on (5.0 %)"));
    }
}
