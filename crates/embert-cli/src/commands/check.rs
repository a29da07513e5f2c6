//! `embert check`: the data and the recipe, before anything trains.

use clap::ArgMatches;
use embert_data::ClassBalance;

use crate::error::CliError;
use crate::memory::MemoryPlan;
use crate::model_source::ModelSource;
use crate::{device, examples, progress, recipe_files, report, warnings};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let place = device::all_of(matches)?;
    let recipe = recipe_files::resolve(matches)?;
    place.require(recipe.train.precision())?;
    let examples = examples::read_examples(&recipe.data)?;
    let source = ModelSource::of_recipe(&recipe, &examples.train)?;
    let limit = examples::limit(&recipe.data, source.config.max_position_embeddings())?;
    let sets = [("train", &examples.train), (examples.eval_name.as_str(), &examples.eval)];
    let encoded = sets.map(|(name, dataset)| {
        println!("{name}: {} texts, {}", report::grouped(dataset.len()), ClassBalance::of(dataset));
        let (texts, _) = examples::columns(dataset);
        let encoded = examples::encode(&source.tokenizer, &texts, limit);
        println!("{}", report::lengths(&encoded));
        println!(
            "{}",
            report::padding(&encoded, recipe.train.per_device_train_batch_size, recipe.train.seed)
        );
        encoded
    });
    let mut warnings = warnings::before_training(&recipe, &examples);
    if let Some(memory) = MemoryPlan::new(&recipe, &place, &source, encoded.each_ref(), None) {
        memory.lines().iter().for_each(|line| println!("{line}"));
        warnings.extend(memory.warning());
    }
    warnings.iter().for_each(|warning| progress::warn(warning));
    println!(
        "the recipe and the data are in order{}",
        if warnings.is_empty() { "" } else { ", but for the warnings" }
    );
    Ok(())
}
