//! The model card of a run: its model and its data.

use std::path::Path;

use embert_train::ModelCard;

use crate::encoded_examples::EncodedRun;
use crate::examples::Examples;
use crate::model_source::ModelSource;
use crate::recipe::Recipe;

/// Returns the model card of a run.
pub(crate) fn model_card(
    recipe: &Recipe,
    source: &ModelSource,
    examples: &Examples,
    encoded: &EncodedRun,
) -> ModelCard {
    let Recipe { model, data, output, .. } = recipe;
    let base = source.directory.is_some().then(|| model.model_name_or_path.clone());
    let name = Path::new(&output.output_dir).file_name().unwrap_or_default();
    ModelCard {
        model_name: name.to_string_lossy().into_owned(),
        base_model_id: base.clone().filter(|name| !Path::new(name).exists()),
        base_model: base.unwrap_or("none: random weights".into()),
        dataset: data.train_file.clone().unwrap_or_else(|| data.dataset_name.clone()),
        dataset_id: None,
        max_seq_length: encoded.train.texts.limit().max_length(),
        pos_label: encoded.metrics.pos_label,
        eval_split: examples.eval.as_ref().map_or(String::new(), |eval| eval.name.clone()),
    }
}
