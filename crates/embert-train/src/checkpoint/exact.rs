//! Numbers that come back from JSON bit for bit: as their shortest decimal text, in quotes.
//!
//! A JSON reader may miss a float by one unit in its last place; Rust's own parser does not.

use serde_json::{Number, Value};

/// The value with every float as text. There must be no other text in it.
pub(crate) fn to_text(value: Value) -> Value {
    map(value, &|leaf| match leaf {
        Value::Number(number) if number.is_f64() => number.as_f64().map(|x| x.to_string()).into(),
        other => other,
    })
}

/// The value with floats again. Text that is no finite number stays.
pub(crate) fn from_text(value: Value) -> Value {
    map(value, &|leaf| match leaf {
        Value::String(text) => {
            let number = text.parse().ok().and_then(Number::from_f64);
            number.map_or(Value::String(text), Value::Number)
        }
        other => other,
    })
}

fn map(value: Value, leaf: &dyn Fn(Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| map(item, leaf)).collect(),
        Value::Object(items) => items.into_iter().map(|(key, item)| (key, map(item, leaf))).collect(),
        other => leaf(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_bit_of_a_float_survives() {
        let mut bits = 1_u64;
        for _ in 0..100_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let float = f64::from_bits(bits);
            if float.is_finite() {
                let text = to_text(json!({ "x": [float] })).to_string();
                let back = from_text(serde_json::from_str(&text).unwrap());
                assert_eq!(back["x"][0].as_f64().unwrap().to_bits(), bits, "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_float_stays() {
        let value = json!({ "n": 18_446_744_073_709_551_615_u64, "none": null, "list": [true, -3] });
        assert_eq!(to_text(value.clone()), value);
        assert_eq!(from_text(to_text(value.clone())), value);
        assert_eq!(from_text(json!("NaN")), json!("NaN"));
    }
}
