//! The commands and their flags. Most flags are recipe keys.

use std::num::NonZeroUsize;

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Command, value_parser};
use clap_complete::Shell;

use super::help;
use crate::commands::predict::Shard;
use crate::recipe::keys::{self, Key, Kind};
use crate::{device, recipe};

/// Builds the command line.
pub(crate) fn command() -> Command {
    Command::new("embert")
        .about("Fine-tunes BERT-family encoders for text classification")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(
            "Flags have the names of transformers; hyphens and underscores are equivalent.\n\
             Exit codes: 0 success, 1 failure, 2 wrong usage or recipe, 3 wrong data, 4 diverged, 5 out of memory, 130/143 interrupted.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands([train(), evaluate(), predict(), merge(), push(), check(), devices()])
        .subcommands([completions(), man(), help_command()])
}

fn train() -> Command {
    let print = Arg::new("print_config")
        .long("print_config")
        .action(ArgAction::SetTrue)
        .help("Print the resolved recipe as TOML and stop");
    let resume =
        Arg::new("resume_from_checkpoint").long("resume_from_checkpoint").value_name("DIR|last").help(
            "Resume from this checkpoint, or from the newest complete one of this run or (last) of --output_dir, with its \
             own recipe unless --recipe is given",
        );
    let command = Command::new("train").about("Fine-tunes a model; transformers opens the result");
    let command = with_recipe(command.args([print, resume])).args([device_flag(), devices_flag()]);
    help::common_first(command).after_help(help::TRAIN_EXAMPLES)
}

fn check() -> Command {
    let command = Command::new("check").about("Checks the data and the recipe without training");
    help::common_first(with_recipe(command).args([device_flag(), devices_flag()]))
}

fn completions() -> Command {
    let shell = Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell));
    Command::new("completions").about("Prints the completion script of a shell").arg(shell)
}

fn man() -> Command {
    let command = Arg::new("command").value_name("COMMAND").help("A command; without it, embert itself");
    Command::new("man").about("Prints a manual page, to read with `embert man | man -l -`").arg(command)
}

fn help_command() -> Command {
    let topic = Arg::new("topic").value_name("COMMAND|TOPIC").help("A command, `recipes` or `models`");
    Command::new("help").about("Prints the help of a command or a topic").arg(topic)
}

fn devices() -> Command {
    Command::new("devices").about("Lists the devices that --device accepts, with memory and driver")
}

/// Returns true for the recipe keys that are flags of `evaluate`.
fn is_of_evaluation(key: &Key) -> bool {
    const OF_TRAINING: [&str; 8] = [
        "fit_threshold",
        "task_name",
        "problem_type",
        "do_regression",
        "train_file",
        "train_split_name",
        "validation_share",
        "max_train_samples",
    ];
    key.path.starts_with("data.") && !OF_TRAINING.contains(&key.flag.as_str()) || is_of_batches(key)
}

/// Returns true for the recipe keys that are flags of `predict`.
fn is_of_prediction(key: &Key) -> bool {
    const READING: [&str; 13] = [
        "text_column_name",
        "text_column_delimiter",
        "text_pair_column_name",
        "csv_quoting",
        "csv_separator",
        "csv_encoding",
        "csv_column_names",
        "json_field",
        "clean",
        "max_seq_length",
        "truncation_side",
        "truncation_strategy",
        "threshold",
    ];
    key.path.starts_with("data.") && READING.contains(&key.flag.as_str()) || is_of_batches(key)
}

/// Returns true for the recipe keys that set batch size and precision of inference.
fn is_of_batches(key: &Key) -> bool {
    ["train.per_device_eval_batch_size", "train.fp16", "train.bf16", "train.tf32"]
        .contains(&key.path.as_str())
}

fn evaluate() -> Command {
    let output = file("output", "Write each row with its label, prediction and scores to this file");
    let errors = Arg::new("errors").long("errors").value_name("N").value_parser(value_parser!(usize));
    let errors = errors.help("Print the N most confident mistakes");
    let command =
        Command::new("evaluate").about("Computes the metrics of a fine-tuned model on labelled texts");
    let command = with_keys(command, is_of_evaluation).args([output, errors]);
    let command = command.args([model_flag(), base_flag(), device_flag()]);
    help::common_first(command).after_help(help::EVALUATE_EXAMPLES)
}

fn merge() -> Command {
    let output =
        Arg::new("output").long("output").visible_alias("output_dir").value_name("DIR").required(true);
    Command::new("merge")
        .about("Merges an adapter into its base model")
        .args_override_self(true)
        .args([model_flag().help("Directory of the adapter"), base_flag()])
        .arg(output.help("Directory to write the merged model to"))
}

fn push() -> Command {
    let model = Arg::new("model").long("model").visible_alias("output_dir").value_name("DIR").required(true);
    let repo = Arg::new("repo").long("repo").visible_alias("hub_model_id").value_name("NAME").required(true);
    let private = Arg::new("private").long("private").visible_alias("hub_private_repo").value_name("BOOL");
    let private = private.num_args(0..=1).value_parser(BoolishValueParser::new());
    let revision = Arg::new("revision").long("revision").value_name("BRANCH").default_value("main");
    let message = Arg::new("commit_message").long("commit_message").value_name("TEXT");
    Command::new("push").about("Uploads a model to the Hugging Face Hub, with the token of HF_TOKEN").args([
        model.help("The directory of the run: its model or adapter, tokenizer and card are uploaded"),
        repo.help("The repository: owner/name, or a name of your own"),
        private
            .default_value("true")
            .default_missing_value("true")
            .help("Create a new repository as private; an existing one is not changed"),
        revision.help("The branch; a new one is created"),
        message.default_value("Upload model").help("The first line of the commit's message"),
    ])
}

fn predict() -> Command {
    let texts = Arg::new("text")
        .value_name("TEXT")
        .num_args(0..)
        .help("Texts; without texts, reads lines of standard input");
    let pair = Arg::new("text_pair").long("text_pair").value_name("TEXT").num_args(1..);
    let pair = pair.requires("text").help("Second texts, one for each TEXT, for a model of sentence pairs");
    let input = file("input", "Read texts from this file, or from all files of a directory or a glob");
    let output = file(
        "output",
        "Write predictions to this .csv, .tsv, .jsonl, .parquet or .arrow file, or for several input files to this \
         directory; - is standard output",
    );
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let logits = switch("logits", "Write the logits too");
    let resume = switch("resume", "Skip input files whose output is complete");
    let arrow_stream =
        switch("arrow_stream", "Read and write Arrow IPC streams on standard input and output");
    let arrow_stream = arrow_stream.conflicts_with_all(["text", "input", "output"]);
    let top_k = Arg::new("top_k").long("top_k").value_name("K").value_parser(value_parser!(NonZeroUsize));
    let top_k = top_k.help("Write the K best labels instead of the scores of all labels");
    let shard = Arg::new("shard").long("shard").value_name("I/N").value_parser(value_parser!(Shard));
    let shard = shard.help("Predict only this share of the input files: 2/8 is the second of eight");
    let command =
        Command::new("predict").about("Predicts the labels of texts; prints one JSON object per line");
    let command = with_keys(command, is_of_prediction)
        .args([texts, pair, input.conflicts_with("text"), output, top_k, logits])
        .args([resume, shard, arrow_stream])
        .args([model_flag(), base_flag(), device_flag()]);
    help::common_first(command).after_help(help::PREDICT_EXAMPLES)
}

fn model_flag() -> Arg {
    Arg::new("model")
        .long("model")
        .visible_alias("model_name_or_path")
        .value_name("DIR")
        .required(true)
        .help("Directory or hub id of the fine-tuned model")
}

fn file(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("FILE").help(help)
}

fn base_flag() -> Arg {
    Arg::new("base")
        .long("base")
        .value_name("DIR")
        .help("Base model of the adapter, instead of the one that adapter_config.json names")
}

fn devices_flag() -> Arg {
    Arg::new("devices")
        .long("devices")
        .value_name("DEVICE,...")
        .conflicts_with("device")
        .help("Several GPUs of one backend that share each training step, such as cuda:0,cuda:1")
}

fn device_flag() -> Arg {
    Arg::new("device").long("device").value_name("DEVICE").default_value(device::DEFAULT).help(format!(
        "Device: {}; number a GPU as in wgpu:1; `embert devices` lists them",
        device::built().join(", ")
    ))
}

fn with_recipe(command: Command) -> Command {
    let recipe = Arg::new("recipe").long("recipe").value_name("NAME|FILE").help(format!(
        "{}, or a TOML file; without it imdb, or only the defaults if --dataset or --train_file is given",
        recipe::names()
    ));
    let set = Arg::new("set")
        .long("set")
        .value_name("KEY=VALUE")
        .action(ArgAction::Append)
        .help("Set a recipe key, such as train.seed=1");
    command.args_override_self(true).args([recipe, set]).args(keys::all().map(flag_with_default))
}

fn with_keys(command: Command, is_taken: fn(&Key) -> bool) -> Command {
    command.args_override_self(true).args(keys::all().filter(|key| is_taken(key)).map(flag))
}

fn flag_with_default(key: &'static Key) -> Arg {
    match &key.default {
        Some(default) if default == " " => flag(key).help(format!("{} [default: a space]", key.help)),
        Some(default) => flag(key).help(format!("{} [default: {default}]", key.help)),
        None => flag(key),
    }
}

fn flag(key: &'static Key) -> Arg {
    let arg = Arg::new(&*key.flag).long(&*key.flag).visible_aliases(key.aliases).help(&*key.help);
    let (section, _) = key.path.split_once('.').expect("keys have sections");
    let arg = arg.help_heading(match section {
        "model" => "Model",
        "data" => "Data",
        "train" => "Training",
        "lora" => "Adapters",
        _ => "Output",
    });
    match key.kind {
        Kind::Switch => arg.value_name("BOOL").num_args(0..=1).default_missing_value("true"),
        Kind::Means(_) => arg.action(ArgAction::SetTrue),
        Kind::Number => arg.value_name("N").allow_negative_numbers(true),
        Kind::Names => arg.value_name("NAMES"),
        Kind::Pairs => arg.value_name("NAME=N"),
        Kind::Kwargs => arg.value_name("NAME=VALUE"),
        Kind::Text | Kind::List | Kind::WordOrNumbers => arg.value_name("TEXT"),
    }
}
