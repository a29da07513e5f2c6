//! Adds to a library's error the flag that solves it. Libraries do not name flags.

use std::fmt::Display;

use embert_data::{ColumnRole, DataError, DataNote};
use embert_hub::HubError;
use embert_model::ModelError;
use embert_train::TrainError;

/// Formats a data error with a hint.
pub(crate) fn of_data(error: &DataError) -> String {
    match error {
        DataError::NotUtf8 { guess, .. } | DataError::Undecodable { guess, .. } => {
            let encoding = guess.as_deref().unwrap_or("NAME");
            with(error, &format!("--csv_encoding {encoding} reads it"))
        }
        DataError::UndeclaredEncoding { guess, .. } => {
            with(error, &format!("--csv_encoding {guess} reads it"))
        }
        DataError::WrongSeparator { separator, .. } => {
            let separator =
                if *separator == b'\t' { "tab".into() } else { format!("{:?}", char::from(*separator)) };
            with(error, &format!("--csv_separator {separator} reads it as it is"))
        }
        DataError::JsonShape { suggestion, .. } => {
            let key = suggestion.as_deref().unwrap_or("KEY");
            with(error, &format!("--json_field {key} reads a list in the file"))
        }
        error => with(error, flag_for(error)),
    }
}

/// Returns the hint for an error, without values of the error.
fn flag_for(error: &DataError) -> &'static str {
    match error {
        DataError::MissingColumn { role, .. } => match role {
            ColumnRole::Text => "name the right one with --text_column_name",
            ColumnRole::TextPair => "name the right one with --text_pair_column_name",
            ColumnRole::Label => THE_LABEL_COLUMN,
        },
        DataError::TooFewRowsPerLabel { .. } | DataError::TooManyLabels { .. } => THE_LABEL_COLUMN,
        DataError::Unlabelled { .. } => "fill it in, or leave such rows out with --drop_unlabelled",
        DataError::LabelColumns { .. } => "--label_columns names them",
        DataError::UnmappedLabels { .. } => "add them to --label_map",
        DataError::NoHeader { .. } | DataError::ColumnNameCount { .. } => {
            "--csv_column_names names the columns of a file without a header"
        }
        DataError::AmbiguousSplit { .. } | DataError::ConfigNotFound { .. } => {
            "--dataset_config_name chooses a folder"
        }
        DataError::UnclosedQuote { .. } => {
            "add it, or use --csv_quoting none if quotes are ordinary characters in this file"
        }
        DataError::CellCount { lines: 2.., .. } => "--csv_quoting none reads quotes as ordinary characters",
        DataError::OneClass { rows: 50.., .. } => {
            "data sets like IMDb are sorted by label, so their first rows are of one class; shuffle before taking a part \
             (--max_train_samples N does), or check the split"
        }
        DataError::OneClass { .. } => {
            "add rows with another label, or check the label column (--label_column_name)"
        }
        _ => "",
    }
}

/// Formats a note with a hint.
pub(crate) fn of_note(note: &DataNote) -> String {
    let hint = match note {
        DataNote::ManyLabels { .. } => THE_LABEL_COLUMN,
        DataNote::Regression { .. } => {
            "--problem_type single_label_classification reads the numbers as labels"
        }
        DataNote::OtherFormats { .. } => "in quotes, a pattern is a value of --train_file and --dataset",
        DataNote::MultilineRows { .. } => {
            "if quotes are ordinary characters in this file, use --csv_quoting none"
        }
        _ => "",
    };
    with(note, hint)
}

/// Formats a download error with a hint.
pub(crate) fn of_hub(error: &HubError) -> String {
    let hint = match error {
        HubError::Unreachable { .. } => {
            "give a local folder instead of a hub name, or run --recipe quickstart, which needs no network"
        }
        HubError::AmbiguousSplits { .. } => "--dataset_config_name chooses one",
        HubError::Io { .. } => "HF_HOME names another cache folder",
        _ => "",
    };
    with(error, hint)
}

/// Formats a model error with a hint.
pub(crate) fn of_model(error: &ModelError) -> String {
    let is_count = matches!(error, ModelError::LabelCount { .. });
    with(error, if is_count { "--ignore_mismatched_sizes makes a new classifier" } else { "" })
}

/// Formats a training error with a hint.
pub(crate) fn of_train(error: &TrainError) -> String {
    let hint = match error {
        TrainError::OutputExists { .. } => "choose another or give --overwrite_output_dir to replace it",
        TrainError::Unfinished { .. } => {
            "--resume_from_checkpoint last resumes it, --overwrite_output_dir replaces it"
        }
        TrainError::Unrenamed { .. } => "--overwrite_output_dir replaces it",
        _ => "",
    };
    with(error, hint)
}

const THE_LABEL_COLUMN: &str = "name the right one with --label_column_name";

fn with(message: impl Display, hint: &str) -> String {
    let message = message.to_string();
    match (hint, message.ends_with('?')) {
        ("", _) => message,
        (hint, true) => format!("{message} {hint}"),
        (hint, false) => format!("{message}; {hint}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_follows_the_message() {
        let path = || "a.csv".into();
        for (error, expected) in [
            (
                DataError::TooFewRowsPerLabel { path: path(), labels: 60, rows: 80 },
                "a.csv: 60 labels in 80 rows; is this the label column? name the right one with --label_column_name",
            ),
            (
                DataError::UnclosedQuote { path: path(), row: 2 },
                "a.csv: row 2: a quoted cell has no closing quote; add it, or use --csv_quoting none if quotes are \
                 ordinary characters in this file",
            ),
            (DataError::Empty { path: path() }, "a.csv: no rows"),
        ] {
            assert_eq!(of_data(&error), expected);
        }
        let few = of_data(&DataError::OneClass { rows: 49, label: "neg".to_owned() });
        let many = of_data(&DataError::OneClass { rows: 50, label: "neg".to_owned() });
        assert!(few.contains("--label_column_name") && many.contains("--max_train_samples"), "{few} {many}");
    }
}
