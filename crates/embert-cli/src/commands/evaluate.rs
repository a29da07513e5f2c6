//! `embert evaluate`: computes the metrics of a fine-tuned model on labelled texts.

use std::ops::ControlFlow;
use std::path::Path;

use clap::ArgMatches;
use embert_data::DataNote;
use embert_train::evaluate_logits;

use super::earlier_output::{Kind, is_replaceable};
use super::evaluated_files;
use super::output_file::{check_place, holds_something_else};
use crate::encoded_examples::EncodedExamples;
use crate::error::CliError;
use crate::examples::{EvalExamples, KnownLabels};
use crate::fine_tuned::FineTuned;
use crate::progress::Bar;
use crate::scored_rows::ScoredRows;
use crate::{describe, eval_fingerprint, examples, hints, output, recipe, report, warnings};

/// The columns that `--output` has after the texts.
const KINDS: [Kind; 3] = [
    &["label", "prediction", "score", "scores"],
    &["labels", "predictions", "scores"],
    &["label", "prediction"],
];

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let output_file = matches.get_one::<String>("output");
    output_file.map_or(Ok(()), |path| check_place(path))?;
    let fine_tuned = FineTuned::open(matches)?;
    if let Some(path) = output_file {
        check_output(&fine_tuned, matches, path)?;
        output::complete_file();
    }
    let known = KnownLabels::of(&fine_tuned.model.config)?;
    let mut notes = vec![];
    let EvalExamples { dataset, name, .. } = rows(&fine_tuned, &known, matches, &mut notes)?;
    let metrics = fine_tuned.metrics.clone();
    let settings = warnings::two_eval_files(&fine_tuned.recipe.data);
    let classifier = fine_tuned.load()?;
    describe::dataset(&name, &dataset);
    notes.iter().map(hints::of_note).chain(settings).for_each(output::warn);
    let encoded = EncodedExamples::new(&classifier.tokenizer, &dataset, classifier.limit)?;
    let bar = Bar::items("Evaluating", dataset.len());
    let (evaluation, logits) = evaluate_logits(
        &classifier.model,
        encoded.labelled(),
        classifier.batching,
        metrics.options(),
        &mut |progress| {
            bar.set(progress.done as u64);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    drop(bar);
    let labels = known.labels.names();
    warnings::one_label(&evaluation.metrics, labels).iter().for_each(output::warn);
    output::print(report::evaluation(&evaluation, labels, metrics.pos_label));
    let rows = ScoredRows::new(&dataset, logits.iter().map(|logits| classifier.prediction(logits)).collect());
    if let Some(&count) = matches.get_one("errors") {
        print_mistakes(&rows, count);
    }
    if let Some(path) = output_file {
        rows.to_table().write(Path::new(path)).map_err(CliError::unwritten)?;
    }
    output::print(serde_json::to_string(&evaluation.to_results(labels)).expect("metrics are JSON"));
    Ok(())
}

/// Fails if the output is an evaluated file, or if it holds something else than the rows of an evaluation.
fn check_output(fine_tuned: &FineTuned, matches: &ArgMatches, path: &str) -> Result<(), CliError> {
    evaluated_files::refuse(&fine_tuned.recipe.data, recipe::names_rows(matches), path)?;
    let are_texts = |columns: &[&str]| matches!(columns, ["text"] | ["text", "text_pair"]);
    if is_replaceable(Path::new(path), &KINDS, are_texts) { Ok(()) } else { Err(holds_something_else(path)) }
}

/// Prints the `count` worst mistakes; nothing for 0.
fn print_mistakes(rows: &ScoredRows<'_>, count: usize) {
    if count > 0 {
        output::print(rows.mistakes(count).unwrap_or("there are no mistakes".into()));
    }
}

/// Reads the rows that flags name, else the evaluation rows of the model's run.
fn rows(
    fine_tuned: &FineTuned,
    known: &KnownLabels,
    matches: &ArgMatches,
    notes: &mut Vec<DataNote>,
) -> Result<EvalExamples, CliError> {
    let (recipe, directory) = (&fine_tuned.recipe, &fine_tuned.directory);
    recipe::check_columns(&recipe.data)?;
    if recipe::names_rows(matches) {
        return examples::read_named(&recipe.data, known, notes);
    }
    if !recipe::names_own_rows(directory)? {
        return Err(CliError::usage(
            "the model has no recipe with evaluation data; name it with --dataset or --test_file",
        ));
    }
    let eval = examples::read_of_run(recipe, known, notes)?;
    eval_fingerprint::require_same(directory, eval.fingerprint, &recipe.data)?;
    Ok(EvalExamples { name: format!("the run's own rows, {}", eval.name), ..eval })
}
