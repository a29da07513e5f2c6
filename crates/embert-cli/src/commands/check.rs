//! `embert check`: the data and the recipe, before anything trains.

use clap::ArgMatches;
use embert_data::{ClassBalance, Dataset};
use embert_train::TrainData;

use crate::device::{self, Place};
use crate::error::CliError;
use crate::examples::EncodedExamples;
use crate::memory::MemoryPlan;
use crate::model_source::ModelSource;
use crate::recipe::Recipe;
use crate::{examples, hints, output, output_dir, recipe_files, report, trained_labels, warnings};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let place = device::all_of(matches)?;
    let recipe = recipe_files::resolve(matches)?;
    let warnings = match recipe_files::names_model(matches)? {
        true => with_model(&recipe, &place, matches)?,
        false => data_alone(&recipe, matches)?,
    };
    warnings.iter().for_each(output::warn);
    let exception = if warnings.is_empty() { "" } else { ", except for the warnings" };
    output::print(format_args!("the recipe and the data are in order{exception}"));
    Ok(())
}

/// Checks what `train` checks before its first step. Returns the warnings.
fn with_model(recipe: &Recipe, place: &Place, matches: &ArgMatches) -> Result<Vec<String>, CliError> {
    place.require(recipe.train.precision())?;
    output_dir::check(recipe)?;
    let (examples, head) = trained_labels::read_examples(recipe)?;
    let source = ModelSource::of_recipe(recipe, &examples.train, head)?;
    let limit = examples::limit(&recipe.data, source.config.encoder.max_position_embeddings)?;
    let encode = |(name, dataset)| {
        describe(name, dataset);
        let encoded = EncodedExamples::new(&source.tokenizer, dataset, limit);
        output::print(report::lengths(&encoded.texts));
        output::print(report::padding(
            &encoded.texts,
            recipe.train.per_device_train_batch_size,
            recipe.train.seed,
        ));
        encoded
    };
    let encoded = examples.parts().map(encode).collect::<Vec<_>>();
    let data = TrainData {
        train: encoded[0].labelled(),
        eval: encoded.get(1).map(EncodedExamples::labelled),
        pos_label: examples::pos_label(&recipe.data, &source.config.label_names())?,
        padding: place.padding,
        replicas: &place.replicas,
    };
    let loaded = source.load(recipe.train.seed, &place.device)?;
    embert_train::check(&loaded.model, &data, &recipe.train)?;
    let mut warnings = source.notes();
    warnings.extend(examples.notes.iter().map(hints::of_note));
    warnings.extend(warnings::before_training(recipe, &examples, matches));
    if let Some(memory) = MemoryPlan::new(recipe, place, &source, &loaded.model, &data) {
        memory.lines().iter().for_each(output::print);
        warnings.extend(memory.warning());
        memory.require()?;
    }
    Ok(warnings)
}

/// Looks at the data alone, for a command line that names no model. Returns the warnings.
fn data_alone(recipe: &Recipe, matches: &ArgMatches) -> Result<Vec<String>, CliError> {
    let examples = examples::read_examples(recipe, None)?;
    for (name, dataset) in examples.parts() {
        describe(name, dataset);
        output::print(report::word_lengths(&examples::columns(dataset).0));
    }
    output::print("no model is named, so nothing of it is checked: --model DIR counts tokens and memory too");
    let mut warnings = examples.notes.iter().map(hints::of_note).collect::<Vec<_>>();
    warnings.extend(warnings::before_training(recipe, &examples, matches));
    Ok(warnings)
}

fn describe(name: &str, dataset: &Dataset) {
    let balance = ClassBalance::of(dataset);
    output::print(format_args!("{name}: {} texts, {balance}", report::grouped(dataset.len())));
}
