//! `embert evaluate`: the figures of a fine-tuned model on labelled texts.

use clap::ArgMatches;
use embert_train::{LabelledTexts, evaluate};

use crate::error::CliError;
use crate::fine_tuned::FineTuned;
use crate::progress::{self, Bar};
use crate::{examples, report, warnings};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let fine_tuned = FineTuned::open(matches)?;
    let eval = examples::read_evaluation(&fine_tuned.recipe.data, &fine_tuned.source.labels()?)?;
    let model = fine_tuned.load()?;
    println!("{} texts, {}", report::grouped(eval.len()), embert_data::ClassBalance::of(&eval));
    let (texts, labels) = examples::columns(&eval);
    let texts = fine_tuned.encode(&texts);
    let labelled = LabelledTexts { texts: &texts, labels: &labels };
    let bar = Bar::items("Evaluating", labels.len());
    let evaluation = evaluate(&model, labelled, fine_tuned.batching(), None, &mut |progress| {
        bar.set(progress.done as u64);
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    drop(bar);
    let labels = fine_tuned.source.config.label_names();
    if let Some(warning) = warnings::one_label(&evaluation.metrics, &labels) {
        progress::warn(&warning);
    }
    println!("{}\n{}", report::figures(&evaluation), report::confusion(&evaluation, &labels));
    println!("{}", serde_json::to_string(&evaluation).expect("figures are JSON"));
    Ok(())
}
