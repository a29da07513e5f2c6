//! Documents that are well-formed and wrong: a key gone, or a value of another kind or size.

use serde_json::{Map, Value, json};

use fastrand::Rng;

/// Every value of a document once gone and once of every other kind and size; so many of all these, drawn with `seed`
/// where there are more.
pub fn dropped_or_replaced(good: &Value, count: usize, seed: u64) -> Vec<(String, Value)> {
    let mut places = vec![];
    collect(good, String::new(), &mut places);
    let wrong = wrong_values();
    let dropped = places.iter().filter_map(|place| Some((format!("{place} dropped"), dropped(good, place)?)));
    let replaced = places.iter().flat_map(|place| {
        let with = |value: &Value| (describe(place, value), replaced(good, place, value.clone()));
        wrong.iter().map(with).collect::<Vec<_>>()
    });
    let mut all = dropped.chain(replaced).collect::<Vec<_>>();
    let mut draw = Rng::with_seed(seed);
    while all.len() > count {
        all.swap_remove(draw.usize(..all.len()));
    }
    all
}

/// The document with another value at a JSON pointer, or the same where that points nowhere.
pub fn replaced(good: &Value, pointer: &str, value: Value) -> Value {
    let mut document = good.clone();
    if let Some(place) = document.pointer_mut(pointer) {
        *place = value;
    }
    document
}

/// Values of every kind, and numbers that fit nowhere.
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

fn describe(place: &str, value: &Value) -> String {
    let value = value.to_string();
    let shown = value.chars().take(40).collect::<String>();
    format!("{place} = {shown}{}", if shown.len() < value.len() { "..." } else { "" })
}

fn dropped(good: &Value, place: &str) -> Option<Value> {
    let mut document = good.clone();
    let (parent, key) = place.rsplit_once('/')?;
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

fn collect(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            collect(value, format!("{place}/{key}"), places);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| collect(value, format!("{place}/{at}"), places));
        }
        _ => {}
    }
    places.push(place);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_dropped_and_replaced() {
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
