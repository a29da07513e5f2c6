//! Splits the text of JSON objects and arrays into the texts of their values.

use serde::de::IgnoredAny;

/// Returns the keys of a valid JSON object and the texts of their values.
pub(super) fn fields(object: &str) -> serde_json::Result<Vec<(String, &str)>> {
    let mut rest = object[1..].trim_start();
    let mut fields = Vec::new();
    while !rest.starts_with('}') {
        let (key, after) = first_value(rest)?;
        let value = after.trim_start().trim_start_matches(':').trim_start();
        let (value, after) = first_value(value)?;
        fields.push((serde_json::from_str(key)?, value));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Ok(fields)
}

/// Returns the texts of the values of a valid JSON array.
pub(super) fn elements(array: &str) -> serde_json::Result<Vec<&str>> {
    let mut rest = array[1..].trim_start();
    let mut elements = Vec::new();
    while !rest.starts_with(']') {
        let (value, after) = first_value(rest)?;
        elements.push(value);
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Ok(elements)
}

/// Splits a text after the JSON value at its start.
fn first_value(text: &str) -> serde_json::Result<(&str, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(value) => value?,
        None => return Err(serde_json::from_str::<IgnoredAny>("").expect_err("no text is no JSON")),
    };
    let end = values.byte_offset();
    Ok(text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_arrays_are_split_into_texts() {
        let object = r#"{ "a" : 1.50 ,"b\u00e9":[1, {"x":"}"}], "c":"\"," }"#;
        let expected = [("a", "1.50"), ("bé", r#"[1, {"x":"}"}]"#), ("c", r#""\",""#)];
        assert_eq!(fields(object).unwrap(), expected.map(|(key, value)| (key.to_owned(), value)));
        assert_eq!(fields("{}").unwrap(), []);
        assert_eq!(elements(r#"[1 , "]" ,[ ],{} ]"#).unwrap(), ["1", "\"]\"", "[ ]", "{}"]);
        assert_eq!(elements("[ ]").unwrap(), Vec::<&str>::new());
        assert!(elements("[1,").is_err());
        assert!(fields("{\"a\"").is_err());
    }
}
