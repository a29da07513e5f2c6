//! Tables of rows with their targets and predictions.

use comfy_table::{Table, presets};

use crate::visible::visible;

/// A row of the table.
pub(crate) struct Sample<'a> {
    pub(crate) text: &'a str,
    pub(crate) gold: String,
    pub(crate) predicted: String,
    /// The score of the prediction; `None` for regression.
    pub(crate) score: Option<f32>,
    pub(crate) is_right: bool,
}

/// A table of predictions with the beginning of each text.
pub(crate) fn samples(samples: &[Sample<'_>]) -> String {
    let mut table = Table::new();
    let has_scores = samples.iter().any(|sample| sample.score.is_some());
    let header = ["text", "gold", "predicted", "score"];
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(&header[..if has_scores { 4 } else { 3 }]);
    for sample in samples {
        let mark = if sample.is_right { "" } else { " ✗" };
        let mut row = vec![preview(sample.text), visible(&sample.gold), visible(&sample.predicted) + mark];
        row.extend(sample.score.map(|score| format!("{score:.3}")));
        table.add_row(row);
    }
    table.to_string()
}

/// The first 50 characters, on one line, control characters escaped.
fn preview(text: &str) -> String {
    const SHOWN: usize = 50;
    let line = visible(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match line.char_indices().nth(SHOWN) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_are_one_line_of_fifty_characters() {
        assert_eq!(preview("one\n two"), "one two");
        assert_eq!(preview("\u{1b}[31mred"), "\\u{1b}[31mred");
        let long = "ä".repeat(60);
        assert_eq!(preview(&long).chars().count(), 51);
    }
}
