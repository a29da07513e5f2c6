//! Parses the values of flags into TOML values.

use toml::{Table, Value};

use super::keys::{Key, Kind};
use crate::boolean::is_boolean;
use crate::error::CliError;

pub(super) fn flag_value(key: &Key, text: &str) -> Result<Value, CliError> {
    let wrong = |expected| Err(CliError::usage(format!("--{} is {text}; it must be {expected}", key.flag)));
    match (key.kind, literal(text)) {
        (Kind::Text | Kind::Means(_), _) => Ok(Value::String(text.into())),
        (Kind::Number, number @ (Value::Integer(_) | Value::Float(_))) => Ok(number),
        (Kind::Number, _) => wrong("a number"),
        (Kind::Switch, _) => {
            is_boolean(text).map_or_else(|| wrong("true or false"), |value| Ok(value.into()))
        }
        (Kind::List, _) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(|item| Value::String(item.into())).collect()))
        }
        (Kind::Names, _) if is_pattern(text) => Ok(Value::String(text.into())),
        (Kind::Names, _) => {
            Ok(Value::Array(text.split(',').map(|name| Value::String(name.trim().into())).collect()))
        }
        (Kind::Pairs, _) => pairs(text).map_or_else(|| wrong("NAME=NUMBER,NAME=NUMBER"), Ok),
        (Kind::Kwargs, _) => kwargs(text).map_or_else(|| wrong("NAME=VALUE,NAME=VALUE or a JSON object"), Ok),
        (Kind::WordOrNumbers, _) if text.contains('=') => {
            pairs(text).map_or_else(|| wrong("NAME=NUMBER,NAME=NUMBER"), Ok)
        }
        (Kind::WordOrNumbers, _) if text.contains(',') => Ok(literal(&format!("[{text}]"))),
        (Kind::WordOrNumbers, word) => Ok(word),
    }
}

/// Returns true if `target_modules` is a regular expression, not a list of names.
fn is_pattern(text: &str) -> bool {
    text.eq_ignore_ascii_case("all-linear") || text.contains(['*', '+', '?', '(', '[', '\\', '|', '^', '$'])
}

/// Parses `name=number,name=number` into a table in this order.
fn pairs(text: &str) -> Option<Value> {
    let pairs = text.split(',').map(|pair| {
        let (name, number) = pair.rsplit_once('=')?;
        let number = literal(number.trim());
        let is_number = number.is_integer() || number.is_float();
        is_number.then(|| (name.trim().to_string(), number))
    });
    pairs.collect::<Option<Table>>().map(Value::Table)
}

/// Parses `name=value,name=value`, or a JSON object, into a table of numbers and words. Python's None is no value.
fn kwargs(text: &str) -> Option<Value> {
    let table = if text.trim_start().starts_with('{') { json_object(text)? } else { assignments(text)? };
    let is_plain = |value: &Value| value.is_integer() || value.is_float() || value.is_str();
    table.values().all(is_plain).then_some(Value::Table(table))
}

fn json_object(text: &str) -> Option<Table> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let given = object.into_iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| Some((name, Value::try_from(value).ok()?))).collect()
}

fn assignments(text: &str) -> Option<Table> {
    let assignments = text.split(',').map(|assignment| {
        let (name, value) = assignment.split_once('=')?;
        Some((name.trim().to_owned(), literal(value.trim())))
    });
    assignments.collect()
}

/// Parses a TOML value. Other text becomes a string.
pub(super) fn literal(text: &str) -> Value {
    let line = format!("value = {text}");
    let parsed = line.parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| Value::String(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kwargs_are_pairs_or_a_json_object() {
        let table = |text: &str| Some(Value::Table(text.parse().unwrap()));
        let cases = [
            ("num_cycles=2", "num_cycles = 2"),
            ("num_cycles=2, power = 1.5", "num_cycles = 2\npower = 1.5"),
            ("lr_end=1e-7", "lr_end = 1e-7"),
            ("num_decay_steps=5,decay_type=cosine", "num_decay_steps = 5\ndecay_type = 'cosine'"),
            ("decay_type=1-sqrt", "decay_type = '1-sqrt'"),
            (r#"{"num_cycles": 2, "power": 1.5}"#, "num_cycles = 2\npower = 1.5"),
            (
                r#"{"num_decay_steps": 5, "decay_type": "1-sqrt"}"#,
                "num_decay_steps = 5\ndecay_type = '1-sqrt'",
            ),
            (r#"{"min_lr": null, "min_lr_rate": 0.1}"#, "min_lr_rate = 0.1"),
            ("{}", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(kwargs(text), table(expected), "{text}");
        }
        let wrong = [
            "",
            "2",
            "power",
            "power=[2]",
            "power=true",
            "{'power': 2}",
            r#"{"power": [2]}"#,
            r#"["power"]"#,
        ];
        for text in wrong {
            assert_eq!(kwargs(text), None, "{text}");
        }
    }
}
