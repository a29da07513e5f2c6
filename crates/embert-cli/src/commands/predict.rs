//! `embert predict`: texts in, labels and scores out, in the same order.

use std::io::{BufRead, stdin, stdout};
use std::ops::ControlFlow;
use std::path::Path;

use clap::ArgMatches;
use embert_data::{Column, Columns, ReadOptions, Table, clean, read_texts};
use embert_train::{predict, predicted_label, probabilities};

use super::predict_output;
use crate::error::CliError;
use crate::fine_tuned::FineTuned;
use crate::progress::{Bar, warn};
use crate::recipe::Recipe;

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    if let Some(output) = output(matches) {
        predict_output::check(matches.get_one::<String>("input").map(String::as_str), output)?;
    }
    let fine_tuned = FineTuned::open(matches)?;
    let texts = texts(&fine_tuned.recipe, matches)?;
    let model = fine_tuned.load()?;
    let texts = fine_tuned.encode(&texts);
    let bar = Bar::items("Predicting", texts.len());
    let logits = predict(&model, &texts, fine_tuned.batching(), &mut |progress| {
        bar.set(progress.done as u64);
        Ok(ControlFlow::Continue(()))
    })?;
    drop(bar);
    write(&table(logits, &fine_tuned.source.config.label_names(), matches.get_flag("logits")), matches)
}

fn texts(recipe: &Recipe, matches: &ArgMatches) -> Result<Vec<String>, CliError> {
    let mut texts = match (matches.get_one::<String>("input"), matches.get_many::<String>("text")) {
        (Some(input), _) => {
            let columns = Columns { text: recipe.data.text_column_name.clone(), ..Columns::default() };
            let options = ReadOptions { columns, ..ReadOptions::default() };
            let (texts, notes) = read_texts(Path::new(input), &options)?;
            notes.iter().for_each(|note| warn(&note.to_string()));
            texts
        }
        (None, Some(texts)) => texts.cloned().collect(),
        (None, None) => lines()?,
    };
    if texts.is_empty() {
        return Err(CliError::rejected(
            "there are no texts: give them as arguments, as lines or with --input",
        ));
    }
    if recipe.data.clean {
        texts.iter_mut().for_each(|text| *text = clean(text));
    }
    Ok(texts)
}

fn lines() -> Result<Vec<String>, CliError> {
    let lines = stdin().lock().lines().enumerate();
    let text = |(number, line): (usize, std::io::Result<String>)| {
        line.map_err(|error| CliError::rejected(format!("standard input, line {}: {error}", number + 1)))
    };
    lines.map(text).collect()
}

fn table(logits: Vec<Vec<f32>>, names: &[String], with_logits: bool) -> Table {
    let scores =
        logits.iter().map(|row| probabilities(row).into_iter().map(|score| score as f32).collect::<Vec<_>>());
    let scores = scores.collect::<Vec<_>>();
    let labels = logits.iter().map(|row| predicted_label(row)).collect::<Vec<_>>();
    let best = labels.iter().zip(&scores).map(|(&label, scores)| scores[label]).collect();
    let table = Table::default()
        .with_column("label", Column::Text(labels.iter().map(|&label| names[label].clone()).collect()))
        .with_column("score", Column::Number(best))
        .with_column("scores", Column::Numbers(scores));
    if with_logits { table.with_column("logits", Column::Numbers(logits)) } else { table }
}

/// The file to write, where it is not standard output.
fn output(matches: &ArgMatches) -> Option<&String> {
    matches.get_one::<String>("output").filter(|output| *output != "-")
}

fn write(table: &Table, matches: &ArgMatches) -> Result<(), CliError> {
    match output(matches) {
        Some(output) => Ok(table.write(Path::new(output))?),
        None => match table.write_jsonl(stdout().lock()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::failed(error)),
            _ => Ok(()), // whoever reads may stop reading
        },
    }
}
