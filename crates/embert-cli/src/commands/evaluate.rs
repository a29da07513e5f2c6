//! `embert evaluate`: the figures of a fine-tuned model on labelled texts.

use clap::ArgMatches;
use embert_train::{LabelledTexts, evaluate};

use crate::error::CliError;
use crate::model_source::{self, ModelSource};
use crate::progress::Bar;
use crate::{device, examples, recipe_files, report, warnings};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let place = device::of(matches)?;
    let directory =
        model_source::directory(matches.get_one::<String>("model").expect("--model is required"))?;
    let source = ModelSource::of_directory(directory.clone(), matches.get_one("base"))?;
    let recipe = recipe_files::of_model(&directory, &source, matches)?;
    place.require(recipe.train.precision())?;
    if let Some(warning) = warnings::other_length(&directory, &recipe)? {
        warnings::print(&warning);
    }
    let limit = examples::limit(&recipe.data, source.config.max_position_embeddings())?;
    let eval = examples::read_evaluation(&recipe.data, &source.labels()?)?;
    let model = source.load_complete(&place.device)?;
    println!("{} texts, {}", report::grouped(eval.len()), embert_data::ClassBalance::of(&eval));
    let (texts, labels) = examples::columns(&eval);
    let texts = examples::encode(&source.tokenizer, &texts, limit);
    let bar = Bar::items("Evaluating", labels.len());
    let batching = recipe.train.evaluation_batching(limit.max_length(), place.padding);
    let evaluation =
        evaluate(&model, LabelledTexts { texts: &texts, labels: &labels }, batching, &mut |progress| {
            bar.set(progress.done as u64);
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
    drop(bar);
    let labels = source.config.label_names();
    if let Some(warning) = warnings::one_label(&evaluation.metrics, &labels) {
        warnings::print(&warning);
    }
    println!("{}\n{}", report::figures(&evaluation), report::confusion(&evaluation, &labels));
    println!("{}", serde_json::to_string(&evaluation).expect("figures are JSON"));
    Ok(())
}
