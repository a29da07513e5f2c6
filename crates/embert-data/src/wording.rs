//! Words that several messages share.

/// Only many rows can be the beginning of a sorted file.
pub(crate) fn one_class_advice(rows: usize) -> &'static str {
    const MANY: usize = 50;
    match rows {
        MANY.. => {
            "data sets like IMDb are sorted by label, so their first rows are of one class; shuffle before taking a part \
             (--max_train_samples N does), or check the split"
        }
        _ => "add rows with another label, or check the label column (--label_column_name)",
    }
}

/// Names in quotes, separated by commas; a long list is cut.
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let names: Vec<String> = names.into_iter().map(|name| format!("{name:?}")).collect();
    match names.len() {
        0 => "nothing".to_owned(),
        count if count > SHOWN => {
            format!("{} and {} more", names[..SHOWN].join(", "), count - SHOWN)
        }
        _ => names.join(", "),
    }
}
