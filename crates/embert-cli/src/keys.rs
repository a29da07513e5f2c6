//! Every recipe key once: its place in the file, its flag under Hugging Face's name, and what it means.

mod train;

use crate::near;

/// How a value is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Text,
    Number,
    /// A word, or a list with commas between its numbers.
    WordOrNumbers,
    /// Words with commas between them.
    List,
    /// Names with commas between them, or a regular expression.
    Names,
    /// `name=number`, with commas between them.
    Pairs,
    /// `--flag`, `--flag true` or `--flag false`.
    Switch,
    /// A flag without a value, which means this value of another key.
    Means(&'static str),
}

/// One recipe key.
#[derive(Debug)]
pub(crate) struct Key {
    /// `section.key`
    pub(crate) path: &'static str,
    /// The flag, without its dashes.
    pub(crate) flag: &'static str,
    /// Other spellings, old ones of `transformers` among them.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
}

const fn key(
    path: &'static str,
    flag: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    help: &'static str,
) -> Key {
    Key { path, flag, aliases, kind, help }
}

use Kind::{Names, Number, Pairs, Switch, Text, WordOrNumbers};
pub(crate) use train::TRAIN;

/// The keys of the model.
pub(crate) const MODEL: &[Key] = &[
    key(
        "model.model_name_or_path",
        "model",
        &["model_name_or_path"],
        Text,
        "A directory or a hub id, such as bert-base-uncased",
    ),
    key(
        "model.adapter",
        "adapter",
        &[],
        Text,
        "Go on from the adapter of this model that is in this directory",
    ),
    key(
        "model.ignore_mismatched_sizes",
        "ignore_mismatched_sizes",
        &[],
        Switch,
        "Train a new head if the labels of the data are not among those of a fine-tuned model",
    ),
    key("model.hidden_dropout_prob", "hidden_dropout_prob", &["dropout"], Number, "Instead of config.json's"),
    key(
        "model.attention_probs_dropout_prob",
        "attention_probs_dropout_prob",
        &["attention_dropout"],
        Number,
        "Instead of config.json's",
    ),
    key(
        "model.classifier_dropout",
        "classifier_dropout",
        &["seq_classif_dropout"],
        Number,
        "Instead of config.json's",
    ),
    key(
        "model.scratch.model_type",
        "model_type",
        &[],
        Text,
        "bert or distilbert, of random weights (all six sizes are needed)",
    ),
    key("model.scratch.vocab_size", "vocab_size", &[], Number, "Of a model with random weights"),
    key("model.scratch.hidden_size", "hidden_size", &[], Number, "Of a model with random weights"),
    key(
        "model.scratch.num_hidden_layers",
        "num_hidden_layers",
        &[],
        Number,
        "Of a model with random weights",
    ),
    key(
        "model.scratch.num_attention_heads",
        "num_attention_heads",
        &[],
        Number,
        "Of a model with random weights",
    ),
    key(
        "model.scratch.intermediate_size",
        "intermediate_size",
        &[],
        Number,
        "Of a model with random weights",
    ),
    key(
        "model.scratch.max_position_embeddings",
        "max_position_embeddings",
        &[],
        Number,
        "Of a model with random weights",
    ),
];

/// The keys of the data.
pub(crate) const DATA: &[Key] = &[
    key(
        "data.dataset_name",
        "dataset",
        &["dataset_name"],
        Text,
        "imdb, synthetic, a hub id, a directory, or a .parquet, .csv, .tsv or .jsonl file",
    ),
    key(
        "data.train_file",
        "train_file",
        &[],
        Text,
        "Train on this file instead of the data set's training split",
    ),
    key("data.validation_file", "validation_file", &[], Text, "Evaluate on this file"),
    key("data.test_file", "test_file", &[], Text, "Evaluate on this file if there is no validation file"),
    key("data.train_split_name", "train_split_name", &[], Text, "The split to train on"),
    key("data.test_split_name", "test_split_name", &["split"], Text, "The split to evaluate on"),
    key(
        "data.validation_share",
        "validation_share",
        &[],
        Number,
        "Share of the rows held out, stratified, if a run evaluates and no other rows are given",
    ),
    key("data.text_column_name", "text_column_name", &["text_column_names"], Text, "The column of texts"),
    key("data.label_column_name", "label_column_name", &[], Text, "The column of labels: integers or names"),
    key(
        "data.csv_quoting",
        "csv_quoting",
        &[],
        Text,
        "Quotes in csv and tsv: minimal, or none if they are plain characters",
    ),
    key("data.drop_unlabelled", "drop_unlabelled", &[], Switch, "Leave out rows without a label"),
    key(
        "data.pos_label",
        "pos_label",
        &[],
        Text,
        "The label that F1, precision and recall are about; of two labels the second",
    ),
    key(
        "data.max_train_samples",
        "max_train_samples",
        &[],
        Number,
        "Train on shuffle(shuffle_seed).select(range(N))",
    ),
    key(
        "data.max_eval_samples",
        "max_eval_samples",
        &[],
        Number,
        "Evaluate on shuffle(shuffle_seed).select(range(N))",
    ),
    key("data.shuffle_seed", "shuffle_seed", &[], Number, "Of these samples, and of the share held out"),
    key(
        "data.synthetic_reviews",
        "synthetic_reviews",
        &[],
        Number,
        "How many reviews --dataset synthetic writes",
    ),
    key(
        "data.clean",
        "clean",
        &[],
        Switch,
        "Remove HTML tags, entities, control characters and runs of white space",
    ),
    key(
        "data.max_seq_length",
        "max_seq_length",
        &["max_length"],
        Number,
        "The most tokens of a text, [CLS] and [SEP] included",
    ),
    key(
        "data.truncation_side",
        "truncation_side",
        &["truncation"],
        Text,
        "Which end of longer texts is cut: right, left, or head+tail(128,126) to cut the middle",
    ),
];

/// The keys of an adapter.
pub(crate) const LORA: &[Key] = &[
    key("lora.r", "lora_r", &[], Number, "Train adapters of this rank instead of the whole model"),
    key("lora.lora_alpha", "lora_alpha", &[], Number, "Scale them by lora_alpha / lora_r"),
    key("lora.lora_dropout", "lora_dropout", &[], Number, "Share of an adapter's input that is dropped"),
    key(
        "lora.target_modules",
        "lora_target_modules",
        &["target_modules"],
        Names,
        "Which linear layers: query,key by the end of their names, a regular expression, or all-linear",
    ),
    key("lora.exclude_modules", "exclude_modules", &[], Names, "Which of these not"),
    key("lora.bias", "lora_bias", &[], Text, "Which biases to train, too: none, all or lora_only"),
    key("lora.use_rslora", "use_rslora", &[], Switch, "Scale by lora_alpha / the root of lora_r"),
    key("lora.modules_to_save", "modules_to_save", &[], Names, "Modules to train whole, beside the head"),
    key(
        "lora.layers_to_transform",
        "layers_to_transform",
        &[],
        WordOrNumbers,
        "Adapt these layers only: 10,11",
    ),
    key("lora.layers_pattern", "layers_pattern", &[], Names, "What stands before a layer's number: layer"),
    key("lora.rank_pattern", "rank_pattern", &[], Pairs, "Other ranks by module: query=4,1.output.dense=16"),
    key("lora.alpha_pattern", "alpha_pattern", &[], Pairs, "Other values of lora_alpha by module"),
];

/// The keys that evaluation and prediction share with training.
pub(crate) const EVALUATION: &[Key] = &[
    key(
        "train.per_device_eval_batch_size",
        "per_device_eval_batch_size",
        &["eval_batch_size"],
        Number,
        "Examples of full length whose tokens make a batch of evaluation",
    ),
    key("train.fp16", "fp16", &[], Switch, "On GPUs: products on operands rounded to fp16, the loss scaled"),
    key("train.bf16", "bf16", &[], Switch, "Matrix products in bf16, where the device has it"),
];

/// The keys of the output.
pub(crate) const OUTPUT: &[Key] = &[
    key("output.output_dir", "output_dir", &["output"], Text, "Where the finished run is left"),
    key(
        "output.on_save_error",
        "on_save_error",
        &[],
        Text,
        "When a checkpoint cannot be written, on a full disk say: continue with a warning, or stop",
    ),
    key(
        "output.overwrite_output_dir",
        "overwrite_output_dir",
        &[],
        Switch,
        "Replace the files of a run that is there; other files stay",
    ),
    key(
        "output.do_eval",
        "do_eval",
        &[],
        Switch,
        "Evaluate once when training ends, also under --eval_strategy no",
    ),
];

/// All keys, in the order of the help.
pub(crate) fn all() -> impl Iterator<Item = &'static Key> {
    [MODEL, DATA, TRAIN, LORA, EVALUATION, OUTPUT].into_iter().flatten()
}

/// The key that an unknown one probably means, by its name or its flag.
pub(crate) fn nearest(path: &str) -> Option<&'static str> {
    let last = |path: &'static str| path.rsplit('.').next().unwrap_or(path);
    let name = path.rsplit('.').next().unwrap_or(path);
    let names = || all().flat_map(|key| [last(key.path), key.flag]);
    let near = near::nearest(name, names().collect::<Vec<_>>().into_iter())?;
    all().find(|key| last(key.path) == near || key.flag == near).map(|key| key.path)
}
