//! The columns of texts and labels, and suggestions for a misspelled column name.

/// The names of the columns to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The column of texts.
    pub text: String,
    /// The column of labels: integers, text or booleans.
    pub label: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self { text: "text".to_owned(), label: "label".to_owned() }
    }
}

/// The role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRole {
    /// The column of texts.
    Text,
    /// The column of labels.
    Label,
}

impl ColumnRole {
    /// Returns common names of columns with this role, in lower case.
    fn common_names(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[
                "text",
                "texts",
                "sentence",
                "sentence1",
                "sentences",
                "review",
                "reviews",
                "content",
                "body",
                "comment",
                "tweet",
                "message",
                "document",
                "description",
                "question",
                "title",
                "sms",
                "input",
            ],
            Self::Label => &[
                "label",
                "labels",
                "target",
                "class",
                "category",
                "sentiment",
                "rating",
                "stars",
                "score",
                "intent",
                "topic",
                "polarity",
                "output",
                "y",
            ],
        }
    }
}

/// Suggests a column that exists in place of `column`, which does not.
///
/// In this order: the same name in another case, a name that contains it or is contained in it, a common name.
pub(crate) fn suggest_column<'a>(
    role: ColumnRole,
    column: &str,
    found: impl Iterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let lower = |name: &str| name.trim().to_lowercase();
    let wanted = lower(column);
    let first = |matches: &dyn Fn(&str) -> bool| found.clone().find(|name| matches(&lower(name)));
    let contains = |name: &str| name.len() > 2 && (name.contains(&wanted) || wanted.contains(name));
    first(&|name| name == wanted)
        .or_else(|| first(&|name| contains(name)))
        .or_else(|| role.common_names().iter().find_map(|common| first(&|name| name == *common)))
}
