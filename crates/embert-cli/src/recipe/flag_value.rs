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

/// Parses a TOML value. Other text becomes a string.
pub(super) fn literal(text: &str) -> Value {
    let line = format!("value = {text}");
    let parsed = line.parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| Value::String(text.into()))
}
