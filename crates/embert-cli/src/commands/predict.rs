//! `embert predict`: predicts labels and scores of texts, in their order. Keeps the columns of an input file.

use std::io::{BufRead, ErrorKind, stdin, stdout};
use std::ops::ControlFlow;
use std::path::Path;

use clap::ArgMatches;
use embert_data::{Column, Table, clean, read_table};
use embert_inference::{Prediction, predict};

use super::predict_output;
use crate::encoded_examples::encode;
use crate::error::CliError;
use crate::fine_tuned::FineTuned;
use crate::progress::Bar;
use crate::recipe::DataSection;
use crate::{hints, output};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    if let Some(output) = output_file(matches) {
        predict_output::check(matches.get_one::<String>("input").map(String::as_str), output)?;
    }
    let fine_tuned = FineTuned::open(matches)?;
    let Input { columns, texts } = Input::read(&fine_tuned.recipe.data, matches)?;
    let classifier = fine_tuned.load()?;
    let texts = encode(&classifier.tokenizer, &texts, classifier.limit);
    let bar = Bar::items("Predicting", texts.len());
    let logits = predict::<CliError>(&classifier.model, &texts, classifier.batching, &mut |progress| {
        bar.set(progress.done as u64);
        Ok(ControlFlow::Continue(()))
    })?;
    drop(bar);
    let predictions = logits.iter().map(|logits| classifier.prediction(logits)).collect();
    let logits = matches.get_flag("logits").then_some(logits);
    write(&with_predictions(columns, predictions, logits), matches)
}

/// The texts to predict.
struct Input {
    /// The columns of the input file; empty for arguments and lines.
    columns: Table,
    texts: Vec<String>,
}

impl Input {
    fn read(data: &DataSection, matches: &ArgMatches) -> Result<Self, CliError> {
        let mut input = match (matches.get_one::<String>("input"), matches.get_many::<String>("text")) {
            (Some(path), _) => Self::of_file(Path::new(path), data)?,
            (None, Some(texts)) => Self::of_texts(texts.cloned().collect()),
            (None, None) => Self::of_texts(lines()?),
        };
        if input.texts.is_empty() {
            return Err(CliError::rejected(
                "there are no texts: give them as arguments, as lines or with --input",
            ));
        }
        if data.clean {
            input.texts.iter_mut().for_each(|text| *text = clean(text));
        }
        Ok(input)
    }

    fn of_texts(texts: Vec<String>) -> Self {
        Self { columns: Table::default(), texts }
    }

    fn of_file(path: &Path, data: &DataSection) -> Result<Self, CliError> {
        let (columns, mut notes) = read_table(path, data.read_options()?.csv_quoting)?;
        let (texts, more) = columns.texts(&data.text_column_name)?;
        notes.extend(more);
        notes.iter().map(hints::of_note).for_each(output::warn);
        Ok(Self { columns, texts })
    }
}

fn lines() -> Result<Vec<String>, CliError> {
    let lines = stdin().lock().lines().enumerate();
    let text = |(number, line): (usize, std::io::Result<String>)| {
        line.map_err(|error| CliError::rejected(format!("standard input, line {}: {error}", number + 1)))
    };
    lines.map(text).collect()
}

/// The column that `--logits` adds.
const LOGITS: &str = "logits";

/// Appends the columns label, score and scores to the input's. Renames input columns with these names.
fn with_predictions(columns: Table, predictions: Vec<Prediction>, logits: Option<Vec<Vec<f32>>>) -> Table {
    let best = predictions.iter().map(|prediction| prediction.score).collect();
    let (labels, scores) =
        predictions.into_iter().map(|prediction| (prediction.label, prediction.scores)).unzip();
    let [label, score, all_scores] = predict_output::PREDICTIONS;
    let table = columns
        .with_reserved_names(&[label, score, all_scores, LOGITS])
        .with_column(label, Column::Text(labels))
        .with_column(score, Column::Number(best))
        .with_column(all_scores, Column::Numbers(scores));
    match logits {
        Some(logits) => table.with_column(LOGITS, Column::Numbers(logits)),
        None => table,
    }
}

/// Returns the output file; `None` for standard output.
fn output_file(matches: &ArgMatches) -> Option<&String> {
    matches.get_one::<String>("output").filter(|output| *output != "-")
}

fn write(table: &Table, matches: &ArgMatches) -> Result<(), CliError> {
    match output_file(matches) {
        Some(output) => Ok(table.write(Path::new(output))?),
        None => match table.write_jsonl(stdout().lock()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()), // the reader may close the pipe
            Err(error) => Err(CliError::failed(format!("standard output: {error}"))),
            Ok(()) => Ok(()),
        },
    }
}
