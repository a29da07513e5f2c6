//! Which columns of a table hold the texts and the labels.

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

/// The use of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRole {
    /// It holds the texts.
    Text,
    /// It holds the labels.
    Label,
}

impl ColumnRole {
    /// Usual names of such columns, in lower case.
    fn usual_names(self) -> &'static [&'static str] {
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

/// The same name in another case, else a longer or shorter form of it, else a usual name.
pub(crate) fn near<'a>(
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
        .or_else(|| role.usual_names().iter().find_map(|usual| first(&|name| name == *usual)))
}
