//! Accesses values of a TOML table by path, such as `train.seed`.

use toml::{Table, Value};

use super::keys;

pub(super) fn insert(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.into(), value);
        }
        Some((section, rest)) => {
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if !section.is_table() {
                *section = Value::Table(Table::new());
            }
            insert(section.as_table_mut().expect("made one above"), rest, value);
        }
    }
}

pub(super) fn remove(table: &mut Table, path: &str) {
    match path.split_once('.') {
        None => drop(table.remove(path)),
        Some((section, key)) => {
            table.get_mut(section).and_then(Value::as_table_mut).and_then(|section| section.remove(key));
        }
    }
}

/// Collects the paths of all values. A table that is the value of one key has one path.
pub(crate) fn leaves(table: &Table, prefix: &str, paths: &mut Vec<String>) {
    let is_key = |path: String| keys::all().any(|key| key.path == path);
    for (name, value) in table {
        match value {
            Value::Table(inner) if !is_key(format!("{prefix}{name}")) => {
                leaves(inner, &format!("{prefix}{name}."), paths)
            }
            _ => paths.push(format!("{prefix}{name}")),
        }
    }
}
