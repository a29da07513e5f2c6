//! Which columns of a table hold the texts and the labels.

/// The names of the columns to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The column of texts.
    pub text: String,
    /// The column of labels: integers, text, or (in parquet and jsonl) booleans.
    pub label: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self { text: "text".to_owned(), label: "label".to_owned() }
    }
}
