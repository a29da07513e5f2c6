//! The recipe keys with their flags, types and help, from the JSON schema of [`Recipe`].
//!
//! The doc comment of a field is the help of its flag. The `Default` of its struct is its default.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::sections::Recipe;
use crate::near;

/// The type of a flag's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Text,
    Number,
    /// A word, numbers separated by commas, or `name=number` separated by commas.
    WordOrNumbers,
    /// Words separated by commas.
    List,
    /// Names separated by commas, or a regular expression.
    Names,
    /// `name=number`, separated by commas.
    Pairs,
    /// `name=value` with numbers and words, separated by commas, or a JSON object.
    Kwargs,
    /// `--flag`, `--flag true` or `--flag false`.
    Switch,
    /// A flag without a value that sets the key to this value.
    Means(&'static str),
}

/// One recipe key.
#[derive(Debug)]
pub(crate) struct Key {
    /// `section.key`
    pub(crate) path: String,
    /// The flag, without its dashes.
    pub(crate) flag: String,
    /// Other names of the flag.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) kind: Kind,
    pub(crate) help: String,
    /// The default that the help shows.
    pub(crate) default: Option<String>,
}

/// Flags whose name differs from the last part of the key, and aliases of flags.
const FLAGS: &[(&str, &[&str])] = &[
    ("model.model_name_or_path", &["model", "model_name_or_path"]),
    ("model.hidden_dropout_prob", &["hidden_dropout_prob", "dropout"]),
    ("model.attention_probs_dropout_prob", &["attention_probs_dropout_prob", "attention_dropout"]),
    ("model.classifier_dropout", &["classifier_dropout", "seq_classif_dropout"]),
    ("data.dataset_name", &["dataset", "dataset_name"]),
    ("data.test_split_name", &["test_split_name", "split"]),
    ("data.text_column_name", &["text_column_name", "text_column_names"]),
    ("data.max_seq_length", &["max_seq_length", "max_length"]),
    ("data.truncation_side", &["truncation_side", "truncation"]),
    ("train.learning_rate", &["learning_rate", "lr"]),
    ("train.per_device_train_batch_size", &["per_device_train_batch_size", "train_batch_size"]),
    ("train.per_device_eval_batch_size", &["per_device_eval_batch_size", "eval_batch_size"]),
    ("train.num_train_epochs", &["num_train_epochs", "epochs"]),
    ("train.eval_strategy", &["eval_strategy", "evaluation_strategy"]),
    ("lora.r", &["lora_r"]),
    ("lora.target_modules", &["lora_target_modules", "target_modules"]),
    ("lora.bias", &["lora_bias"]),
    ("output.output_dir", &["output_dir", "output"]),
];

static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut keys = vec![];
    collect("", settings.into_generator().into_root_schema_for::<Recipe>().as_value(), &mut keys);
    keys.extend(SHORT.map(|(flag, path, value)| Key {
        path: path.into(),
        flag: flag.into(),
        aliases: &[],
        kind: Kind::Means(value),
        help: format!("Short for --{} {value}", last(path)),
        default: None,
    }));
    keys
});

/// Flags without a value, each with the key and the value that it sets.
const SHORT: [(&str, &str, &str); 2] = [
    ("group_by_length", "train.train_sampling_strategy", "group_by_length"),
    ("do_regression", "data.problem_type", "regression"),
];

/// Returns all keys, in the order of the recipe.
pub(crate) fn all() -> impl Iterator<Item = &'static Key> {
    KEYS.iter()
}

/// Suggests a key for an unknown one, by name or flag.
pub(crate) fn nearest(path: &str) -> Option<&'static str> {
    let names = || all().flat_map(|key| [last(&key.path), &key.flag]);
    let near = near::nearest(last(path), names().collect::<Vec<_>>().into_iter())?;
    all().find(|key| last(&key.path) == near || key.flag == near).map(|key| key.path.as_str())
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Adds the keys below `path`: the fields of a struct, or else the value itself.
fn collect(path: &str, schema: &Value, keys: &mut Vec<Key>) {
    let value = without_null(schema);
    let Some(fields) = value["properties"].as_object() else {
        keys.push(Key::new(path, schema, value));
        return;
    };
    for (name, schema) in fields {
        collect(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, schema, keys);
    }
}

/// Returns the schema of T from that of `Option<T>`.
fn without_null(schema: &Value) -> &Value {
    match schema["anyOf"].as_array().map(Vec::as_slice) {
        Some([value, null]) if null["type"] == "null" => value,
        _ => schema,
    }
}

impl Key {
    fn new(path: &str, field: &Value, value: &Value) -> Self {
        let named = FLAGS.iter().find(|(of, _)| *of == path).map(|(_, names)| *names);
        let (flag, aliases) = named.and_then(|names| names.split_first()).unzip();
        Self {
            path: path.into(),
            flag: flag.copied().unwrap_or(last(path)).into(),
            aliases: aliases.unwrap_or_default(),
            kind: Kind::of(value),
            help: help(field, value),
            default: default(&field["default"]),
        }
    }
}

impl Kind {
    fn of(schema: &Value) -> Self {
        let is = |schema: &Value, name: &str| {
            let types = &schema["type"];
            types == name || types.as_array().is_some_and(|types| types.iter().any(|of| of == name))
        };
        let is_number = |schema: &Value| is(schema, "number") || is(schema, "integer");
        let forms = schema["anyOf"].as_array().map_or(std::slice::from_ref(schema), Vec::as_slice);
        let list = forms.iter().find(|form| is(form, "array"));
        match list {
            Some(list) if is_number(&list["items"]) => Self::WordOrNumbers,
            Some(_) if forms.len() > 1 => Self::Names,
            Some(_) => Self::List,
            None if is(schema, "boolean") => Self::Switch,
            None if is(schema, "object") && is_number(&schema["additionalProperties"]) => Self::Pairs,
            None if is(schema, "object") => Self::Kwargs,
            None if is_number(schema) => Self::Number,
            None => Self::Text,
        }
    }
}

/// Returns the first paragraph of the doc comment in one line, and the possible values.
fn help(field: &Value, value: &Value) -> String {
    let text = field["description"].as_str().or(value["description"].as_str()).unwrap_or_default();
    let line = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let line = line.trim_end_matches('.');
    let documented = value["oneOf"].as_array().into_iter().flatten().map(|variant| &variant["const"]);
    let words = documented.chain(value["enum"].as_array().into_iter().flatten()).filter_map(Value::as_str);
    let words = words.collect::<Vec<_>>();
    if words.is_empty() { line.into() } else { format!("{line} [possible values: {}]", words.join(", ")) }
}

/// Formats the default as a flag's value; `None` for false, empty and missing defaults.
fn default(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.as_f64().map_or(number.to_string(), |number| match number {
            small if small != 0.0 && small < 1e-3 => format!("{small:e}"),
            number => number.to_string(),
        })),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_flag_the_kind_and_the_default_of_their_field() {
        let cases = [
            ("model.model_name_or_path", "model", Kind::Text, Some("bert-base-uncased")),
            ("model.scratch.vocab_size", "vocab_size", Kind::Number, None),
            ("train.learning_rate", "learning_rate", Kind::Number, Some("5e-5")),
            ("train.num_train_epochs", "num_train_epochs", Kind::Number, Some("3")),
            ("train.max_steps", "max_steps", Kind::Number, None),
            ("train.lr_scheduler_kwargs", "lr_scheduler_kwargs", Kind::Kwargs, None),
            ("train.warmup_steps", "warmup_steps", Kind::Number, Some("0")),
            ("train.logging_steps", "logging_steps", Kind::Number, Some("50")),
            ("train.eval_steps", "eval_steps", Kind::Number, None),
            ("train.save_steps", "save_steps", Kind::Number, Some("500")),
            ("train.dataloader_drop_last", "dataloader_drop_last", Kind::Switch, None),
            ("train.eval_strategy", "eval_strategy", Kind::Text, Some("no")),
            ("train.greater_is_better", "greater_is_better", Kind::Switch, None),
            ("train.class_weights", "class_weights", Kind::WordOrNumbers, Some("none")),
            ("train.pos_weight", "pos_weight", Kind::WordOrNumbers, Some("none")),
            ("train.loss", "loss", Kind::Text, Some("cross_entropy")),
            ("train.focal_gamma", "focal_gamma", Kind::Number, Some("2")),
            ("train.gradual_unfreezing", "gradual_unfreezing", Kind::List, None),
            ("lora.r", "lora_r", Kind::Number, Some("8")),
            ("lora.target_modules", "lora_target_modules", Kind::Names, None),
            ("lora.layers_to_transform", "layers_to_transform", Kind::WordOrNumbers, None),
            ("lora.layers_pattern", "layers_pattern", Kind::List, None),
            ("lora.rank_pattern", "rank_pattern", Kind::Pairs, None),
            ("lora.use_dora", "use_dora", Kind::Switch, None),
            ("lora.init_lora_weights", "init_lora_weights", Kind::Text, None),
            ("output.do_eval", "do_eval", Kind::Switch, None),
        ];
        for (path, flag, kind, default) in cases {
            let key = all().find(|key| key.path == path).expect(path);
            assert_eq!(
                (key.flag.as_str(), key.kind, key.default.as_deref()),
                (flag, kind, default),
                "{path}"
            );
        }
        assert!(all().all(|key| !key.help.is_empty() && !key.help.contains('`')));
        assert!(FLAGS.iter().all(|(path, _)| all().any(|key| key.path == *path)));
    }
}
