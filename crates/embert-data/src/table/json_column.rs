//! A column of JSON values. Each value keeps its JSON text, so jsonl output is identical to the input.

/// The JSON text of a value; `None` if the row does not have the key.
pub(super) type Json = Option<Box<str>>;

/// Formats a value as a csv cell: text without quotes, null as an empty cell, other values as JSON.
pub(super) fn cell(json: Option<&str>) -> Vec<u8> {
    match json {
        None | Some("null") => vec![],
        Some(json) => text(json).unwrap_or_else(|| json.to_owned()).into_bytes(),
    }
}

/// Returns the text of a JSON string; `None` for other values.
pub(super) fn text(json: &str) -> Option<String> {
    if json.starts_with('"') { serde_json::from_str(json).ok() } else { None }
}
