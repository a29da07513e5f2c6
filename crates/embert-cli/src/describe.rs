//! Prints what a run trains on: its data and its model.

use embert_data::{ClassBalance, Dataset};
use embert_text::EncodedTexts;
use embert_train::TrainConfig;

use crate::examples::{EvalExamples, Examples};
use crate::model_source::{LoadedModel, ModelSource};
use crate::recipe::Recipe;
use crate::visible::visible;
use crate::{output, report};

/// Prints the size and the class balance of the training and evaluation rows.
pub(crate) fn examples(examples: &Examples) {
    dataset("train", &examples.train);
    for EvalExamples { dataset: rows, name, .. } in
        [&examples.eval, &examples.mismatched].into_iter().flatten()
    {
        dataset(&format!("eval ({name})"), rows);
    }
}

/// Prints the number of texts of a data set, and how many each label has.
pub(crate) fn dataset(name: &str, dataset: &Dataset) {
    let balance = visible(&ClassBalance::of(dataset).to_string());
    output::print(format_args!("{name}: {} texts, {balance}", report::grouped(dataset.len())));
}

/// Prints the lengths of texts in tokens, and what padding would add.
pub(crate) fn tokens(texts: &EncodedTexts, config: &TrainConfig) {
    output::print(report::lengths(texts));
    output::print(report::padding(texts, config.per_device_train_batch_size, config.seed));
}

/// Prints which weights come from the checkpoint and which are new.
pub(crate) fn weights(loaded: &LoadedModel, source: &ModelSource, recipe: &Recipe) {
    let LoadedModel { newly_initialized, unused, .. } = loaded;
    let name = recipe.model.name();
    if !unused.is_empty() {
        output::print(format_args!(
            "Some weights of the model checkpoint at {name} were not used: {unused:?}"
        ));
    }
    if source.directory.is_none() {
        output::print(
            "Random weights and a vocabulary of the training texts: a demonstration, not a model to use.",
        );
    } else if !newly_initialized.is_empty() {
        output::print(format_args!(
            "Some weights of {} were not initialized from the model checkpoint at {name} and are newly initialized: \
             {newly_initialized:?}\nYou should probably TRAIN this model on a down-stream task to be able to use it for \
             predictions and inference.",
            source.config.architecture.classifier_class,
        ));
    }
}
