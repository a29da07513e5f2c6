//! An object with a list for each column, as pandas writes with `orient="list"` or `orient="columns"`.

use super::syntax::{elements, fields};

/// The values of the columns, which are read row by row as objects.
#[derive(Default)]
pub(super) struct Columns {
    names: Vec<String>,
    /// The texts of the values of each row.
    rows: std::vec::IntoIter<Vec<Box<str>>>,
}

impl Columns {
    /// Returns the columns of an object whose values are all lists, or all objects, of the same length.
    ///
    /// An empty object has no columns.
    pub(super) fn of_object(object: &[u8]) -> Option<Self> {
        let fields = fields(valid_object(object)?).ok()?;
        if matches!(fields.as_slice(), [(_, values)] if has_objects(values)) {
            return None; // the rows are under a key
        }
        let mut names = Vec::new();
        let mut columns = Vec::new();
        for (name, values) in fields {
            names.push(name);
            columns.push(values_of(values)?);
        }
        let count = columns.first()?.len();
        if columns.iter().any(|values| values.len() != count) {
            return None;
        }
        let row = |row: usize| columns.iter().map(|values| values[row].into()).collect();
        let rows = (0..count).map(row).collect::<Vec<_>>();
        Some(Self { names, rows: rows.into_iter() })
    }

    /// Replaces `text` by the next row as an object; returns false at the end.
    pub(super) fn next(&mut self, text: &mut Vec<u8>) -> bool {
        let Some(row) = self.rows.next() else { return false };
        text.clear();
        for (at, (name, value)) in self.names.iter().zip(row).enumerate() {
            text.extend_from_slice(if at == 0 { b"{" } else { b"," });
            text.extend_from_slice(serde_json::Value::from(name.as_str()).to_string().as_bytes());
            text.push(b':');
            text.extend_from_slice(value.as_bytes());
        }
        text.push(b'}');
        true
    }
}

/// Returns the values of a list, or of an object such as `{"0": "a", "1": "b"}`.
fn values_of(values: &str) -> Option<Vec<&str>> {
    match values.as_bytes().first()? {
        b'[' => elements(values).ok(),
        b'{' => Some(fields(values).ok()?.into_iter().map(|(_, value)| value).collect()),
        _ => None,
    }
}

/// Returns the first key of an object whose value is a list that begins with an object.
pub(super) fn list_of_objects(object: &[u8]) -> Option<String> {
    let fields = fields(valid_object(object)?).ok()?;
    fields.into_iter().find(|(_, value)| has_objects(value)).map(|(key, _)| key)
}

/// Returns true for a list that begins with an object.
fn has_objects(value: &str) -> bool {
    value.strip_prefix('[').is_some_and(|inner| inner.trim_start().starts_with('{'))
}

/// Returns the text of a valid object.
fn valid_object(object: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(object).ok()?.trim();
    let is_valid = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    (is_valid && text.starts_with('{')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_one_length_are_columns() {
        for (object, expected) in [
            (
                r#"{"text": ["a", "b"], "label": [0, null]}"#,
                &[r#"{"text":"a","label":0}"#, r#"{"text":"b","label":null}"#][..],
            ),
            (r#"{"t\"x": {"0": "a"}, "y": {"0": [1, 2]}}"#, &[r#"{"t\"x":"a","y":[1, 2]}"#]),
            (r#"{"text": []}"#, &[]),
        ] {
            let mut columns = Columns::of_object(object.as_bytes()).unwrap();
            let mut row = Vec::new();
            let mut found = Vec::new();
            while columns.next(&mut row) {
                found.push(String::from_utf8(row.clone()).unwrap());
            }
            assert_eq!(found, expected, "{object}");
        }
        for object in
            [r#"{"text": "a"}"#, r#"{"a": [1], "b": []}"#, "{}", "[]", r#"{"a": [1"#, r#"{"a": [1], "b": 2}"#]
        {
            assert!(Columns::of_object(object.as_bytes()).is_none(), "{object}");
        }
    }

    #[test]
    fn the_key_with_the_rows_is_found() {
        let object = br#"{"version": 1, "tags": ["a"], "data": [ {"text": "a"}]}"#;
        assert_eq!(list_of_objects(object), Some("data".to_owned()));
        assert_eq!(list_of_objects(br#"{"text": "a"}"#), None);
    }
}
