//! Formats lists and suggestions for messages.

/// Maximum number of items in a list.
const MAX_ITEMS: usize = 20;

/// Joins quoted names with commas. Shortens a long list.
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let list = shortened(names.into_iter().map(|name| format!("{name:?}")), MAX_ITEMS);
    if list.is_empty() { "nothing".to_owned() } else { list }
}

/// Joins items with commas. Shortens a long list: `a, b and 5 more`.
pub(crate) fn listed(items: impl IntoIterator<Item = String>) -> String {
    shortened(items.into_iter(), MAX_ITEMS)
}

/// Joins the first `max_items` items with commas, and adds the number of the others.
pub(crate) fn shortened(mut items: impl Iterator<Item = String>, max_items: usize) -> String {
    let first = items.by_ref().take(max_items).collect::<Vec<_>>().join(", ");
    match items.count() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Formats a suggestion as the end of a message. Returns an empty text without a suggestion.
pub(crate) fn did_you_mean(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map(|suggestion| format!("; did you mean {suggestion:?}?")).unwrap_or_default()
}
