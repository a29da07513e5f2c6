//! The columns of texts and labels, and suggestions for a misspelled column name.

/// The names of the columns to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The columns of texts. Several are joined by
    /// [`text_column_delimiter`](crate::ReadOptions::text_column_delimiter).
    pub texts: Vec<String>,
    /// The column of the second texts, for pairs of texts.
    pub text_pair: Option<String>,
    /// The column of labels: integers, text, booleans, or lists of them. Several columns are 0 and 1 for each label, or
    /// the targets of a regression.
    pub labels: Vec<String>,
}

impl Default for Columns {
    fn default() -> Self {
        Self::new("text", "label")
    }
}

impl Columns {
    /// Returns one column of texts and one of labels.
    pub fn new(text: impl Into<String>, label: impl Into<String>) -> Self {
        Self { texts: vec![text.into()], text_pair: None, labels: vec![label.into()] }
    }

    /// Returns the columns of texts, each with its role.
    pub(crate) fn of_texts(&self) -> Vec<(&str, ColumnRole)> {
        let texts = self.texts.iter().map(|name| (name.as_str(), ColumnRole::Text));
        texts.chain(self.text_pair.as_deref().map(|name| (name, ColumnRole::TextPair))).collect()
    }

    /// Returns all columns, each with its role.
    pub(crate) fn with_labels(&self) -> Vec<(&str, ColumnRole)> {
        let labels = self.labels.iter().map(|name| (name.as_str(), ColumnRole::Label));
        self.of_texts().into_iter().chain(labels).collect()
    }
}

/// The role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRole {
    /// A column of texts.
    Text,
    /// The column of second texts.
    TextPair,
    /// A column of labels.
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
                "text1",
                "premise",
                "question1",
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
            Self::TextPair => &[
                "sentence2",
                "text2",
                "text_pair",
                "hypothesis",
                "question2",
                "answer",
                "passage",
                "response",
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
    found: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    const MAX_NAMES: usize = 1000; // the others are not searched
    let lower = |name: &str| name.trim().to_lowercase();
    let (wanted, names) = (lower(column), found.take(MAX_NAMES).map(|name| (lower(name), name)));
    let names = names.collect::<Vec<_>>();
    let first =
        |matches: &dyn Fn(&str) -> bool| names.iter().find(|(name, _)| matches(name)).map(|(_, name)| *name);
    let contains = |name: &str| name.len() > 2 && (name.contains(&wanted) || wanted.contains(name));
    first(&|name| name == wanted)
        .or_else(|| first(&|name| contains(name)))
        .or_else(|| role.common_names().iter().find_map(|common| first(&|name| name == *common)))
}
