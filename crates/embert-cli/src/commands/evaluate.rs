//! `embert evaluate`: computes the metrics of a fine-tuned model on labelled texts.

use clap::ArgMatches;
use embert_data::{DataNote, Labels};
use embert_train::{MetricOptions, evaluate};

use crate::encoded_examples::EncodedExamples;
use crate::error::CliError;
use crate::examples::EvalExamples;
use crate::fine_tuned::FineTuned;
use crate::progress::Bar;
use crate::{describe, examples, hints, output, recipe, report, warnings};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let fine_tuned = FineTuned::open(matches)?;
    let labels = Labels::new(fine_tuned.model.config.label_names())?;
    let mut notes = vec![];
    let EvalExamples { dataset, name } = rows(&fine_tuned, &labels, matches, &mut notes)?;
    let pos_label = examples::pos_label(&fine_tuned.recipe.data, labels.names())?;
    let settings = warnings::two_eval_files(&fine_tuned.recipe.data);
    let classifier = fine_tuned.load()?;
    describe::dataset(&name, &dataset);
    notes.iter().map(hints::of_note).chain(settings).for_each(output::warn);
    let encoded = EncodedExamples::new(&classifier.tokenizer, &dataset, classifier.limit);
    let options = MetricOptions { pos_label, thresholds: None };
    let bar = Bar::items("Evaluating", dataset.len());
    let evaluation =
        evaluate(&classifier.model, encoded.labelled(), classifier.batching, options, &mut |progress| {
            bar.set(progress.done as u64);
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
    drop(bar);
    let labels = labels.names();
    warnings::one_label(&evaluation.metrics, labels).iter().for_each(output::warn);
    output::print(report::evaluation(&evaluation, labels, pos_label));
    output::print(serde_json::to_string(&evaluation.to_results(labels)).expect("metrics are JSON"));
    Ok(())
}

/// Reads the rows that flags name, else the evaluation rows of the model's run.
fn rows(
    fine_tuned: &FineTuned,
    labels: &Labels,
    matches: &ArgMatches,
    notes: &mut Vec<DataNote>,
) -> Result<EvalExamples, CliError> {
    let recipe = &fine_tuned.recipe;
    if recipe::names_rows(matches) {
        return examples::read_named(&recipe.data, labels, notes);
    }
    if !fine_tuned.has_recipe {
        return Err(CliError::usage(
            "the model has no recipe with evaluation data; name it with --dataset or --test_file",
        ));
    }
    let eval = examples::read_of_run(recipe, labels, notes)?;
    Ok(EvalExamples { name: format!("the run's own rows, {}", eval.name), ..eval })
}
