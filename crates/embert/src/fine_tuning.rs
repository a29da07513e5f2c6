//! Fine-tuning on examples in memory. The result is a run directory that embert and transformers open.

use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;
use embert_data::{Dataset, ProblemType as DatasetType, Target, require_two_classes};
use embert_inference::{Batching, InferenceError, ModelDirectory, padding_for, supports_precision};
use embert_model::{
    AutoModelForSequenceClassification, LoraConfig, ProblemType, add_adapter, from_pretrained,
    from_pretrained_with_new_head,
};
use embert_text::{EncodedTexts, Limit, Tokenizer, Truncation};
use embert_train::{
    Event, Fitted, LabelledTexts, MetricOptions, ModelCard, OnExisting, RunDirectory, RunSettings, Targets,
    TrainConfig, TrainData, fit,
};
use serde::Serialize;

use crate::{Classifier, Error, resolve};

/// Name of the data set in the recipe and the model card.
const DATASET: &str = "examples in memory";

/// Settings of [`fine_tune`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FineTuning {
    /// Training settings, such as epochs, learning rate and batch size, with the names of transformers.
    pub train: TrainConfig,
    /// If set, trains a LoRA adapter instead of all weights.
    pub lora: Option<LoraConfig>,
    /// The maximum number of tokens of a text, including special tokens. Default: the number of positions of
    /// the model.
    pub max_length: Option<usize>,
    /// The side at which long texts are truncated.
    pub truncation: Truncation,
    /// What to do if the output directory already contains a run.
    pub on_existing: OnExisting,
}

/// Content of `recipe.toml`: the keys of a command-line recipe that apply to this run.
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

/// Fine-tunes the pretrained model `base` on `examples`, and returns the classifier.
///
/// Writes the same run directory as `embert train`. The head of the base model is kept if it has the same
/// labels; otherwise a new head is initialized from the seed. `on_event` receives every event of [`fit`]; if
/// it returns `Break`, training stops after the current step.
///
/// # Errors
/// [`Error::Data`] if the examples have fewer than two labels; [`Error::Interrupted`] after `Break`; and
/// errors of the base model, of the settings, and of writing files.
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
    if !supports_precision(device, precision) {
        return Err(InferenceError::Precision { precision }.into());
    }
    let mut directory = ModelDirectory::open(&resolve::model_directory(base)?, None)?;
    let model = load(&mut directory, examples, settings, device)?;
    let positions = directory.config.encoder.max_length();
    let limit = Limit::new(settings.max_length.unwrap_or(positions), settings.truncation, positions)?;
    directory.tokenizer = directory.tokenizer.with_truncation(limit.truncation());
    let texts = encode(&directory.tokenizer, examples, limit)?;
    let mut run = run_directory(base, &directory, limit, settings, output_dir.as_ref())?;
    let targets = &targets(examples);
    let train = LabelledTexts { texts: &texts, targets };
    let data = TrainData {
        train,
        eval: None,
        padding: padding_for(device),
        replicas: &[],
        metric_options: MetricOptions::default(),
    };
    let config = settings.train.resolve_label_names(examples.labels.names())?;
    let fitted = match fit_recorded(model, data, &config, &mut run, on_event) {
        Ok(fitted) => fitted,
        Err(error) => {
            run.discard_unstarted()?;
            return Err(error);
        }
    };
    run.finish(&fitted.model, &fitted.report, None, &card(base, limit, output_dir.as_ref()))?;
    let ModelDirectory { config, tokenizer, .. } = directory;
    let batching = Batching::new(limit.max_length(), precision, device);
    Ok(embert_inference::Classifier::new(fitted.model, &config, tokenizer, limit, batching).into())
}

/// Loads the weights, and adds a new head and an adapter if necessary.
fn load(
    directory: &mut ModelDirectory,
    examples: &Dataset,
    settings: &FineTuning,
    device: &Device,
) -> Result<AutoModelForSequenceClassification, Error> {
    let (labels, problem_type) = (examples.labels.names(), problem_type(examples.problem_type));
    let config = &directory.config;
    let keeps_head = config.problem_type() == problem_type && config.label_names() == labels;
    directory.config.set_labels(labels);
    directory.config.set_problem_type(problem_type);
    let load = if keeps_head { from_pretrained } else { from_pretrained_with_new_head };
    let model = load(&directory.weights, &directory.config, settings.train.seed, device)?.model;
    match &settings.lora {
        Some(lora) => Ok(add_adapter(model, lora, settings.train.seed)?),
        None => Ok(model),
    }
}

/// Encodes the texts, or the pairs of texts.
fn encode(tokenizer: &Tokenizer, examples: &Dataset, limit: Limit) -> Result<EncodedTexts, Error> {
    let texts = examples.examples.iter().map(|example| example.text.as_str()).collect::<Vec<_>>();
    let pairs =
        examples.examples.iter().map(|example| example.text_pair.as_deref()).collect::<Option<Vec<_>>>();
    match pairs {
        Some(pairs) => Ok(tokenizer.encode_all_pairs(&texts, &pairs, limit, &|_| ())?),
        None => Ok(tokenizer.encode_all(&texts, limit, &|_| ())),
    }
}

fn targets(examples: &Dataset) -> Targets {
    let targets = examples.examples.iter().map(|example| &example.target);
    match examples.problem_type {
        DatasetType::SingleLabelClassification => {
            Targets::Labels(targets.filter_map(Target::label).collect())
        }
        DatasetType::MultiLabelClassification => {
            let has = |target: &Target| {
                (0..examples.labels.len()).map(|id| target.label_ids().contains(&id)).collect()
            };
            Targets::MultiHot(targets.map(has).collect())
        }
        DatasetType::Regression => Targets::Values(targets.map(|target| target.values().to_vec()).collect()),
    }
}

/// Returns the problem type of a model for a data set.
fn problem_type(problem_type: DatasetType) -> ProblemType {
    match problem_type {
        DatasetType::SingleLabelClassification => ProblemType::SingleLabelClassification,
        DatasetType::MultiLabelClassification => ProblemType::MultiLabelClassification,
        DatasetType::Regression => ProblemType::Regression,
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

/// Trains the model, and writes log and checkpoints to the run directory.
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
