//! `embert check`: checks the data and the recipe before training.

use clap::ArgMatches;

use crate::device::{self, DeviceContext};
use crate::encoded_examples::{EncodedRun, limit, texts};
use crate::error::CliError;
use crate::memory::MemoryPlan;
use crate::metric_choice::{self, MetricChoice};
use crate::model_source::ModelSource;
use crate::recipe::Recipe;
use crate::{describe, examples, output, output_dir, recipe, report, trained_labels, warnings};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let context = device::all_of(matches)?;
    let recipe = recipe::resolve(matches)?;
    let warnings = if recipe::names_model(matches)? {
        with_model(&recipe, &context, matches)?
    } else {
        without_model(&recipe, matches)?
    };
    warnings.iter().for_each(output::warn);
    let exception = if warnings.is_empty() { "" } else { ", except for the warnings" };
    output::print(format_args!("the recipe and the data are in order{exception}"));
    Ok(())
}

/// Checks what `train` checks before its first step. Returns the warnings.
fn with_model(
    recipe: &Recipe,
    context: &DeviceContext,
    matches: &ArgMatches,
) -> Result<Vec<String>, CliError> {
    context.require(recipe.train.precision())?;
    output_dir::check(recipe)?;
    let (examples, head) = trained_labels::read_examples(recipe)?;
    let source = ModelSource::of_recipe(recipe, &examples.train, head)?;
    let limit = limit(&recipe.data, source.config.encoder.max_length())?;
    let metrics = MetricChoice::new(&recipe.data, &source.config)?;
    metric_choice::check_fitting(recipe, &source.config)?;
    describe::examples(&examples);
    let encoded = EncodedRun::new(&source.tokenizer, &examples, limit, metrics)?;
    for part in [Some(&encoded.train), encoded.eval.as_ref()].into_iter().flatten() {
        describe::tokens(&part.texts, &recipe.train);
    }
    let data = encoded.data(context);
    let loaded = source.load(recipe.train.seed, &context.device)?;
    let train = recipe.train.resolve_label_names(&source.config.label_names())?;
    embert_train::check(&loaded.model, &data, &train)?;
    let recipe = &Recipe { train, ..recipe.clone() };
    let mut warnings = warnings::of_run(recipe, &source, &examples, matches);
    if let Some(memory) = MemoryPlan::new(recipe, context, &source, &loaded.model, &data) {
        memory.lines().iter().for_each(output::print);
        warnings.extend(memory.warning());
        memory.require()?;
    }
    Ok(warnings)
}

/// Checks the data only, for a command line that names no model. Returns the warnings.
fn without_model(recipe: &Recipe, matches: &ArgMatches) -> Result<Vec<String>, CliError> {
    let examples = examples::read_examples(recipe, None)?;
    describe::examples(&examples);
    for part in
        [Some(&examples.train), examples.eval.as_ref().map(|eval| &eval.dataset)].into_iter().flatten()
    {
        output::print(report::word_lengths(&texts(part).0));
    }
    output::print("no model was checked; --model DIR also checks a model, and reports tokens and memory");
    Ok(warnings::of_data(recipe, &examples, matches))
}
