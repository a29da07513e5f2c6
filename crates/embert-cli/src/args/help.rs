//! Help texts: the most used flags first, examples last, and topics.

use clap::Command;
use embert_model::{ARCHITECTURES, Architecture};

use crate::recipe;

/// The flags that `-h` shows; `--help` shows all.
const COMMON: [&str; 20] = [
    "text",
    "input",
    "output",
    "model",
    "base",
    "recipe",
    "dataset",
    "train_file",
    "test_file",
    "output_dir",
    "max_seq_length",
    "learning_rate",
    "num_train_epochs",
    "per_device_train_batch_size",
    "eval_strategy",
    "lora_r",
    "lora_target_modules",
    "bf16",
    "resume_from_checkpoint",
    "device",
];

pub(super) const TRAIN_EXAMPLES: &str = "\
Examples:
  embert train --recipe quickstart
  embert train --model bert-base-uncased --train_file train.csv --eval_strategy epoch
  embert train --model runs/stars --train_file more.csv --output_dir runs/more
  embert train --dataset imdb --lora_r 8 --lora_target_modules query,value --learning_rate 2e-4
  embert train --output_dir runs/stars --resume_from_checkpoint last

`embert train --help` shows all flags; `embert help recipes` explains recipes, and `embert help models` lists models.
On a GPU, the variable CUBECL_AUTOTUNE_LEVEL sets how long kernels are tuned: minimal, balanced (default), extensive
or full.";

pub(super) const EVALUATE_EXAMPLES: &str = "\
Examples:
  embert evaluate --model runs/stars
  embert evaluate --model runs/stars --test_file test.csv";

pub(super) const PREDICT_EXAMPLES: &str = "\
Examples:
  embert predict --model runs/stars \"This movie is good\"
  embert predict --model runs/stars --input reviews.csv --output predictions.parquet
  cat reviews.txt | embert predict --model runs/stars";

/// Moves the common flags into the first group. `-h` hides the others.
pub(super) fn common_first(command: Command) -> Command {
    command
        .mut_args(|arg| match COMMON.iter().position(|name| arg.get_id() == name) {
            Some(order) => arg.help_heading("Most used flags").display_order(order),
            None => arg.hide_short_help(true),
        })
        .after_help("`--help` shows all flags.")
}

/// Returns the text of a help topic.
pub(crate) fn topic(name: &str) -> Option<String> {
    match name {
        "recipes" => Some(recipes()),
        "models" => Some(models()),
        _ => None,
    }
}

fn recipes() -> String {
    format!(
        "A recipe is a TOML file with the settings of a run. It has the sections [model], [data], [train], [lora] and\n\
         [output]; its keys are the flags of `embert train`. Flags override the recipe, as does --set KEY=VALUE.\n\n\
         Built-in recipes: {}.\n\n\
         embert train --recipe quickstart                     runs a built-in recipe\n\
         embert train --recipe imdb --max_steps 100           overrides a key by a flag\n\
         embert train --recipe imdb --print_config > my.toml  writes the resolved recipe to a file\n\
         embert train --recipe my.toml                        runs a recipe file\n\n\
         Without --recipe, --dataset and --train_file start from the defaults of TrainingArguments. Each run saves its\n\
         recipe as recipe.toml in its directory.",
        recipe::names()
    )
}

fn models() -> String {
    let row =
        |architecture: &Architecture| format!("  {:<13}{}", architecture.model_type, architecture.models);
    format!(
        "A model is a directory, or an id of the Hugging Face Hub: embert train --model roberta-base. Its config.json names\n\
         the family in `model_type`. These families are supported:\n\n\
         {}\n\n\
         A model with random weights (--model_type) learns a WordPiece vocabulary from the training texts, as in bert,\n\
         distilbert and electra.",
        ARCHITECTURES.map(row).join("\n")
    )
}
