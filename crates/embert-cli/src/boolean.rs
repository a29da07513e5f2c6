//! Boolean values of flags.

/// Parses a boolean in the spellings that transformers' HfArgumentParser accepts.
pub(crate) fn is_boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}
