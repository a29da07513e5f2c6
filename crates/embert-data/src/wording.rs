//! Lists and suggestions in messages.

/// How many names a message lists.
const SHOWN: usize = 20;

/// Names in quotes, separated by commas; a long list is cut.
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    match shortened(names.into_iter().map(|name| format!("{name:?}")), SHOWN) {
        none if none.is_empty() => "nothing".to_owned(),
        names => names,
    }
}

/// Items separated by commas; a long list is cut, as in `a, b and 5 more`.
pub(crate) fn listed(items: impl IntoIterator<Item = String>) -> String {
    shortened(items.into_iter(), SHOWN)
}

/// The first `shown` items separated by commas, and the number of the others.
pub(crate) fn shortened(mut items: impl Iterator<Item = String>, shown: usize) -> String {
    let first = items.by_ref().take(shown).collect::<Vec<_>>().join(", ");
    match items.count() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The suggestion of a name, if there is one near.
pub(crate) fn did_you_mean(near: &Option<String>) -> String {
    near.as_ref().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default()
}
