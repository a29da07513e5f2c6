//! Mutations of JSON documents: a value removed, or replaced by a value of another type or size.

use serde_json::{Map, Value, json};

use fastrand::Rng;

/// Returns mutations of a document, each with its description: each value removed, and replaced by each wrong value.
///
/// If there are more than `count`, returns a random selection; the same seed gives the same selection.
pub fn dropped_or_replaced(good: &Value, count: usize, seed: u64) -> Vec<(String, Value)> {
    let mut pointers = vec![];
    collect(good, String::new(), &mut pointers);
    let wrong = wrong_values();
    let dropped =
        pointers.iter().filter_map(|pointer| Some((format!("{pointer} dropped"), dropped(good, pointer)?)));
    let replaced = pointers.iter().flat_map(|pointer| {
        let with = |value: &Value| (describe(pointer, value), replaced(good, pointer, value.clone()));
        wrong.iter().map(with).collect::<Vec<_>>()
    });
    let mut all = dropped.chain(replaced).collect::<Vec<_>>();
    let mut rng = Rng::with_seed(seed);
    while all.len() > count {
        all.swap_remove(rng.usize(..all.len()));
    }
    all
}

/// Replaces the value at a JSON pointer. Returns the document unchanged if the pointer matches nothing.
pub fn replaced(good: &Value, pointer: &str, value: Value) -> Value {
    let mut document = good.clone();
    if let Some(found) = document.pointer_mut(pointer) {
        *found = value;
    }
    document
}

/// Returns values of each JSON type, and extreme numbers.
fn wrong_values() -> Vec<Value> {
    let deep = (0..100).fold(json!(0), |inner, _| json!([inner]));
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(0.5),
        json!(1e308),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1_000_000_000_000_u64),
        json!(65_537),
        json!(""),
        json!("\u{1b}[31m\0\u{202e}"),
        json!("../../etc/passwd"),
        json!("[CLS]"),
        json!([]),
        json!({}),
        json!({"": {}}),
        deep,
    ]
}

fn describe(pointer: &str, value: &Value) -> String {
    let value = value.to_string();
    let shown = value.chars().take(40).collect::<String>();
    format!("{pointer} = {shown}{}", if shown.len() < value.len() { "..." } else { "" })
}

fn dropped(good: &Value, pointer: &str) -> Option<Value> {
    let mut document = good.clone();
    let (parent, key) = pointer.rsplit_once('/')?;
    match document.pointer_mut(parent)? {
        Value::Object(fields) => {
            let fields: &mut Map<_, _> = fields;
            fields.shift_remove(&key.replace("~1", "/").replace("~0", "~"))?;
        }
        Value::Array(items) => {
            items.remove(key.parse().ok()?);
        }
        _ => return None,
    }
    Some(document)
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            collect(value, format!("{pointer}/{key}"), pointers);
        }),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, value)| collect(value, format!("{pointer}/{at}"), pointers));
        }
        _ => {}
    }
    pointers.push(pointer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_dropped_and_replaced() {
        let good = json!({"a/b": [1, 2], "c": "d"});
        let all = dropped_or_replaced(&good, usize::MAX, 0);
        assert_eq!(all.len(), 4 + 5 * wrong_values().len()); // the document itself cannot be dropped
        assert!(all.iter().any(|(_, document)| *document == json!({"a/b": [2], "c": "d"})));
        assert!(all.iter().any(|(_, document)| *document == json!({"c": "d"})));
        assert!(all.iter().any(|(what, document)| what == "/c = -1" && document["c"] == -1));
        assert_eq!(dropped_or_replaced(&good, 10, 1), dropped_or_replaced(&good, 10, 1));
        assert_eq!(dropped_or_replaced(&good, 10, 1).len(), 10);
    }
}
