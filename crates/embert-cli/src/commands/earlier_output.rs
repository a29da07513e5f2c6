//! Recognizes a file that an earlier call of `predict` or `evaluate` wrote, so that a repeated command may replace it.
//!
//! The names of the columns are no proof: a user's annotations may be in a column `prediction`. The values must be those
//! of a model, too: the score is the greatest of the scores, and numbers are exact in fp32.

use std::collections::HashMap;
use std::path::Path;

use embert_data::{ReadOptions, Table, TableReader};
use serde_json::{Map, Value};

/// Columns that one problem type has at the end of the file.
pub(super) type Kind = &'static [&'static str];

/// Columns with a list in each row.
const LISTS: [&str; 6] = ["scores", "labels", "predictions", "top_labels", "top_scores", "logits"];
/// Columns with the numbers of several labels or of a regression. The first that a kind has counts.
const NUMBERS: [&str; 4] = ["scores", "top_scores", "prediction", "predictions"];
/// The least number of digits of a long number.
const LONG: usize = 6;

/// Returns true if the file is missing or empty, or if it has the columns and the values of one of these kinds.
///
/// `are_others` tests the names of the columns before those of the kind.
pub(super) fn is_replaceable(path: &Path, kinds: &[Kind], are_others: fn(&[&str]) -> bool) -> bool {
    if !has_content(path) {
        return true;
    }
    let columns = columns(path).unwrap_or_default();
    let columns = columns.iter().map(String::as_str).collect::<Vec<_>>();
    let is_kind = |kind: &&Kind| columns.strip_suffix(**kind).is_some_and(are_others);
    kinds.iter().find(is_kind).is_some_and(|kind| has_values_of(path, kind))
}

/// Returns true for a file that is not empty.
pub(super) fn has_content(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
}

/// Returns the names of the columns of a file; `None` if it is no table, or has no rows.
pub(super) fn columns(path: &Path) -> Option<Vec<String>> {
    let rows = TableReader::open(path, &ReadOptions::default()).ok()?.next()?.ok()?;
    Some(rows.column_names().map(str::to_owned).collect())
}

fn has_values_of(path: &Path, kind: Kind) -> bool {
    let Ok(mut tables) = TableReader::open(path, &ReadOptions::default()) else { return false };
    let mut values = Values::default();
    tables.all(|rows| rows.is_ok_and(|rows| values.add(&rows, kind).is_some())) && values.are_of_model()
}

/// The values of a file so far.
#[derive(Default)]
struct Values {
    /// The best labels, by their places in the scores.
    names: HashMap<usize, String>,
    /// The places of the best labels.
    places: HashMap<String, usize>,
    numbers: usize,
    /// The number of numbers with more digits than a person writes.
    long_numbers: usize,
}

impl Values {
    /// Adds the rows of a table; `None` if a value is not that of a model.
    fn add(&mut self, rows: &Table, kind: Kind) -> Option<()> {
        let mut lines = vec![];
        rows.write_jsonl(&mut lines).ok()?;
        let mut rows = serde_json::Deserializer::from_slice(&lines).into_iter::<Map<String, Value>>();
        rows.try_for_each(|row| self.add_row(&row.ok()?, kind))
    }

    fn add_row(&mut self, row: &Map<String, Value>, kind: Kind) -> Option<()> {
        for column in kind.iter().filter(|column| LISTS.contains(column)) {
            list(&row[*column])?;
        }
        if kind.contains(&"score") {
            return self.check_best_label(row, kind);
        }
        let numbers = NUMBERS.iter().find(|column| kind.contains(column))?;
        self.add_numbers(&row[*numbers])
    }

    /// Adds a number or a list of numbers; each is exact in fp32.
    fn add_numbers(&mut self, value: &Value) -> Option<()> {
        let numbers = list(value).unwrap_or_else(|| vec![value.clone()]);
        numbers.iter().try_for_each(|value| self.add_number(value))
    }

    fn add_number(&mut self, value: &Value) -> Option<()> {
        self.numbers += 1;
        if is_nan(value) {
            return Some(());
        }
        let number = number(value)?;
        let written = format!("{:e}", number as f32);
        let digits = written.split('e').next()?.chars().filter(char::is_ascii_digit).count();
        self.long_numbers += usize::from(digits >= LONG);
        (written.parse::<f64>().ok()? == number).then_some(())
    }

    /// Checks that the score is the greatest one, and that the label has the same place in the scores of all rows.
    fn check_best_label(&mut self, row: &Map<String, Value>, kind: Kind) -> Option<()> {
        let is_top = kind.contains(&"top_labels");
        let label = text(&row[if kind.contains(&"prediction") { "prediction" } else { "label" }]);
        let scores = list(&row[if is_top { "top_scores" } else { "scores" }])?;
        let scores = scores.iter().map(Value::as_f64).collect::<Option<Vec<_>>>();
        let Some(scores) = scores else { return Some(()) }; // a score is NaN
        let best = scores.iter().copied().fold(f64::MIN, f64::max);
        if number(&row["score"])? != best {
            return None;
        }
        if is_top {
            return (text(list(&row["top_labels"])?.first()?) == label).then_some(());
        }
        if scores.iter().filter(|score| **score == best).count() > 1 {
            return Some(());
        }
        let place = scores.iter().position(|score| *score == best)?;
        self.add_place(place, label)
    }

    /// Fails if an earlier row has another label at this place, or this label at another place.
    fn add_place(&mut self, place: usize, label: String) -> Option<()> {
        let has_name = *self.names.entry(place).or_insert(label.clone()) == label;
        (has_name && *self.places.entry(label).or_insert(place) == place).then_some(())
    }

    /// Returns true if half of the numbers have many digits, as the outputs of a model. The scores of one label need no
    /// such proof.
    fn are_of_model(&self) -> bool {
        self.long_numbers * 2 >= self.numbers
    }
}

/// Returns a list. In csv and tsv, it is text.
fn list(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(values) => Some(values.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// Returns a number. In csv and tsv, it is text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Returns true for the null that replaces NaN and infinity.
fn is_nan(value: &Value) -> bool {
    value.is_null() || value == "null"
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_of_a_model_are_replaceable() {
        const BEST: Kind = &["label", "score", "scores"];
        const NUMBER: Kind = &["prediction"];
        let model = "a,x,0.75123453,\"[0.75123453,0.24876547]\"\nb,y,0.6012346,\"[0.3987654,0.6012346]\"\n";
        let with_header = |rows: &str| format!("text,label,score,scores\n{rows}");
        let cases = [
            (with_header(model), true),
            (with_header(&model.replace("a,x", "a,y")), false),
            (with_header(&model.replace("x,0.75123453", "x,0.8")), false),
            (with_header("a,x,1,good\nb,y,2,bad\n"), false),
            (format!("text,label,score,scores,note\n{}", model.replace("\"\n", "\",mine\n")), false),
            ("id,prediction\n1,0.73123455\n2,-1.2012346\n".to_owned(), true),
            ("id,prediction\n1,4\n2,3.5\n".to_owned(), false),
            ("id,prediction\n1,good\n".to_owned(), false),
            ("id,prediction\n1,0.731234551234567\n2,0.201234567890123\n".to_owned(), false),
            ("id,prediction\n1,0.73123455\n2,4.5\n3,3\n".to_owned(), false),
            ("prediction,id\n0.73123455,1\n".to_owned(), false),
            ("id,prediction\n".to_owned(), false),
            (String::new(), true),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        for (text, expected) in cases {
            std::fs::write(&path, &text).unwrap();
            assert_eq!(is_replaceable(&path, &[BEST, NUMBER], |_| true), expected, "{text}");
        }
    }
}
