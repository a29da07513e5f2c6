//! Fine-tuning on examples in memory: labels, tokens, model, `fit`, and a run directory that `embert` and transformers open.

use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;
use embert_data::{Dataset, require_two_classes};
use embert_inference::{Batching, InferenceError, ModelDirectory, padding_for, supports};
use embert_model::{
    AutoModelForSequenceClassification, LoraConfig, add_adapter, from_pretrained,
    from_pretrained_with_new_head,
};
use embert_text::{Limit, Truncation};
use embert_train::{
    Event, Fitted, LabelledTexts, ModelCard, OnExisting, RunDirectory, RunSettings, Targets, TrainConfig,
    TrainData, fit,
};
use serde::Serialize;

use crate::{Classifier, Error, model_folder};

/// What the recipe and the model card say of the data.
const DATASET: &str = "examples in memory";

/// Settings of fine-tuning.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FineTuning {
    /// Epochs, learning rate, batch size and so on, in transformers' names.
    pub train: TrainConfig,
    /// Trains a LoRA adapter instead of all weights.
    pub lora: Option<LoraConfig>,
    /// The maximal number of tokens of a text, special tokens included; else as many as the model has positions.
    pub max_length: Option<usize>,
    /// The tokens to keep of longer texts.
    pub truncation: Truncation,
    /// What to do with a run that is in the output directory already.
    pub on_existing: OnExisting,
}

/// `recipe.toml`: the keys of a recipe of the command line that this run has.
#[derive(Serialize)]
struct Recipe<'a> {
    model: ModelSection<'a>,
    data: DataSection,
    train: &'a TrainConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    lora: Option<&'a LoraConfig>,
}

#[derive(Serialize)]
struct ModelSection<'a> {
    model_name_or_path: &'a str,
}

#[derive(Serialize)]
struct DataSection {
    dataset_name: &'static str,
    max_seq_length: usize,
    truncation_side: String,
}

/// Fine-tunes the pretrained model `base` on `examples`, writes a run directory as `embert train` does, and returns the
/// classifier.
///
/// The head of a base model with the same labels is kept; else a new one is made from the seed. `on_event` hears every
/// event of [`fit`]; when it answers `Break`, training stops after the current step.
///
/// # Errors
/// [`Error::Data`] for examples of fewer than two labels; [`Error::Interrupted`] after a `Break`; and the errors of the
/// base model's files, of the settings, and of writing.
pub fn fine_tune(
    base: &str,
    examples: &Dataset,
    settings: &FineTuning,
    output_dir: impl AsRef<Path>,
    device: &Device,
    on_event: &mut dyn FnMut(&Event<'_>) -> ControlFlow<()>,
) -> Result<Classifier, Error> {
    require_two_classes(examples)?;
    let precision = settings.train.precision();
    if !supports(device, precision) {
        return Err(InferenceError::Precision { precision }.into());
    }
    let mut directory = ModelDirectory::open(&model_folder::find(base)?, None)?;
    let model = load(&mut directory, examples.labels.names(), settings, device)?;
    let positions = directory.config.encoder.max_position_embeddings;
    let limit = Limit::new(settings.max_length.unwrap_or(positions), settings.truncation, positions)?;
    directory.tokenizer = directory.tokenizer.with_truncation(limit.truncation());
    let (texts, labels): (Vec<_>, Vec<_>) =
        examples.examples.iter().map(|example| (example.text.as_str(), example.label)).unzip();
    let texts = directory.tokenizer.encode_all(&texts, limit, &|_| ());
    let mut run = run_directory(base, &directory, limit, settings, output_dir.as_ref())?;
    let targets = &Targets::Labels(labels);
    let train = LabelledTexts { texts: &texts, targets };
    let data = TrainData { train, eval: None, padding: padding_for(device), replicas: &[], pos_label: None };
    let fitted = match fit_recorded(model, data, &settings.train, &mut run, on_event) {
        Ok(fitted) => fitted,
        Err(error) => {
            run.discard_unstarted()?;
            return Err(error);
        }
    };
    run.finish(&fitted.model, &fitted.report, None, &card(base, limit, output_dir.as_ref()))?;
    let ModelDirectory { config, tokenizer, .. } = directory;
    let batching = Batching::new(limit.max_length(), precision, device);
    let labels = config.label_names();
    Ok(embert_inference::Classifier { model: fitted.model, tokenizer, labels, limit, batching }.into())
}

/// Reads the weights, with a new head and an adapter where they are needed.
fn load(
    directory: &mut ModelDirectory,
    labels: &[String],
    settings: &FineTuning,
    device: &Device,
) -> Result<AutoModelForSequenceClassification, Error> {
    let keeps_head = directory.config.label_names() == labels;
    directory.config.set_labels(labels);
    let load = if keeps_head { from_pretrained } else { from_pretrained_with_new_head };
    let model = load(&directory.weights, &directory.config, settings.train.seed, device)?.model;
    match &settings.lora {
        Some(lora) => Ok(add_adapter(model, lora, settings.train.seed)?),
        None => Ok(model),
    }
}

fn run_directory(
    base: &str,
    directory: &ModelDirectory,
    limit: Limit,
    settings: &FineTuning,
    output_dir: &Path,
) -> Result<RunDirectory, Error> {
    let recipe = Recipe {
        model: ModelSection { model_name_or_path: base },
        data: DataSection {
            dataset_name: DATASET,
            max_seq_length: limit.max_length(),
            truncation_side: limit.truncation().to_string(),
        },
        train: &settings.train,
        lora: settings.lora.as_ref(),
    };
    let recipe = &toml::to_string_pretty(&recipe).expect("settings are TOML");
    let (config, model_config, tokenizer) = (&settings.train, &directory.config, &directory.tokenizer);
    let run = RunSettings { config, model_config, tokenizer, recipe };
    let run = RunDirectory::create(output_dir, settings.on_existing, run)?;
    Ok(if settings.lora.is_some() { run.with_adapter(base) } else { run })
}

/// Trains the model, and writes log and checkpoints into the run directory.
fn fit_recorded(
    model: AutoModelForSequenceClassification,
    data: TrainData<'_>,
    config: &TrainConfig,
    run: &mut RunDirectory,
    on_event: &mut dyn FnMut(&Event<'_>) -> ControlFlow<()>,
) -> Result<Fitted, Error> {
    let fitted = fit(model, data, config, &mut |event| {
        run.record(&event)?;
        Ok(on_event(&event))
    })?;
    if fitted.report.interrupted {
        return Err(Error::Interrupted { step: fitted.report.global_step });
    }
    Ok(fitted)
}

fn card(base: &str, limit: Limit, output_dir: &Path) -> ModelCard {
    let name = output_dir.file_name().unwrap_or_default();
    ModelCard {
        model_name: name.to_string_lossy().into_owned(),
        base_model: base.to_owned(),
        base_model_id: (!Path::new(base).exists()).then(|| base.to_owned()),
        dataset: DATASET.to_owned(),
        max_seq_length: limit.max_length(),
        ..ModelCard::default()
    }
}
