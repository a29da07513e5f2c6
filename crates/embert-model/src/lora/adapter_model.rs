//! Saving and loading adapters in the format of PEFT: adapter_config.json and adapter_model.safetensors. Old adapters
//! have adapter_model.bin instead, which is read as pytorch_model.bin.

use std::path::{Path, PathBuf};

use crate::ModelError;
use crate::architectures::ARCHITECTURES;
use crate::classification::AutoModelForSequenceClassification;
use crate::loading::{LoadedParameters, read_parameters};
use crate::lora::adapter_config::{self, AdapterConfig};
use crate::lora::config::LoraConfig;
use crate::lora::conversion::{from_plain_lora, to_plain_lora};
use crate::lora::inject::inject;
use crate::lora::names;
use crate::lora::target_names::with_names_for_peft;
use crate::lora::trained_parameters::TrainedParameters;
use crate::parameters::{Parameter, PreTrainedModel, parameters};
use crate::save::write_tensors;
use crate::weights::{ReadHeader, Weights};
use crate::{pytorch_file, safetensors_header};

/// Name of the file with the config and the label names of an adapter's model.
///
/// The name is not `config.json`, because transformers would then expect a complete model in the directory.
pub const ADAPTER_MODEL_CONFIG: &str = "model_config.json";

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";
const PYTORCH_WEIGHTS: &str = "adapter_model.bin";

/// Writes `adapter_config.json` and `adapter_model.safetensors` (F32) into an existing directory.
///
/// The file contains the adapters, `modules_to_save` and trained biases. `PeftModel.from_pretrained` opens
/// the result. A pattern in `target_modules` that also matches other modules than linear layers, and `all-linear`,
/// become the names of the adapted layers. An adapter of PiSSA or OLoRA becomes plain LoRA of twice the rank, as with
/// `path_initial_model_for_weight_conversion` of PEFT, because its base weights are not those of the base model.
///
/// # Errors
/// [`ModelError::File`] and [`ModelError::Write`] if a file cannot be written; [`ModelError::NotAdapted`] if
/// the model has no adapters.
pub fn save_adapter(
    model: &AutoModelForSequenceClassification,
    base_model_name_or_path: &str,
    directory: &Path,
) -> Result<(), ModelError> {
    let model = to_plain_lora(model.clone());
    let (Some(config), Some(trained)) = (model.lora(), TrainedParameters::of(&model)) else {
        return Err(ModelError::NotAdapted { path: directory.into() });
    };
    let config = with_names_for_peft(config, &model, &trained);
    adapter_config::write(&config, base_model_name_or_path, &directory.join(CONFIG))?;
    write_tensors(&model, &|name| trained.name_in_file(name), &directory.join(WEIGHTS))
}

/// Returns the file with the weights of an adapter, and its reader.
fn weights_file(directory: &Path) -> (PathBuf, ReadHeader) {
    let [safetensors, pytorch] = [WEIGHTS, PYTORCH_WEIGHTS].map(|name| directory.join(name));
    if !safetensors.is_file() && pytorch.is_file() {
        (pytorch, pytorch_file::read)
    } else {
        (safetensors, safetensors_header::read)
    }
}

/// LoRA adapter in a directory, not yet loaded into its base model.
pub struct Adapter {
    /// The settings.
    pub config: LoraConfig,
    /// The base model: a directory or a model id of the Hugging Face Hub.
    pub base_model_name_or_path: Option<String>,
    /// Keys of adapter_config.json that this library does not know and ignores.
    pub unknown_keys: Vec<String>,
    path: PathBuf,
    weights: Weights,
}

impl Adapter {
    /// Returns true if a directory contains an adapter.
    pub fn is_in(directory: &Path) -> bool {
        directory.join(CONFIG).is_file()
    }

    /// Reads the settings and the header of the weights: `adapter_model.safetensors`, or without it
    /// `adapter_model.bin`.
    ///
    /// # Errors
    /// Fails if a file is missing or damaged; [`ModelError::NotAStateDict`] if `adapter_model.bin` has more than a state
    /// dict; [`ModelError::Unsupported`] if the adapter is not a supported kind of LoRA.
    pub fn open(directory: &Path) -> Result<Self, ModelError> {
        let AdapterConfig { config, base_model_name_or_path, unknown_keys } =
            AdapterConfig::read(&directory.join(CONFIG))?;
        let (path, read_header) = weights_file(directory);
        let weights = Weights::open_file(&path, read_header)?;
        Ok(Self { config, base_model_name_or_path, unknown_keys, path, weights })
    }

    /// Adds the path of adapter_config.json to an error about a setting.
    fn in_config(&self, error: ModelError) -> ModelError {
        match error {
            ModelError::Lora { key, reason } => ModelError::Config {
                path: self.path.with_file_name(CONFIG),
                reason: format!("{key}: {reason}"),
            },
            other => other,
        }
    }

    /// Returns the number of labels of the adapter's classifier; `None` if it has no classifier.
    pub fn num_labels(&self) -> Option<usize> {
        let classifiers =
            ARCHITECTURES.map(|architecture| names::peft_classifier_weight(architecture.head.classifier));
        self.weights.find(&classifiers).and_then(|(_, head)| head.shape.first().copied())
    }

    /// Loads the adapter into its base model, and freezes the parameters that the adapter does not train.
    ///
    /// `newly_initialized` are the parameters that the checkpoint of the base model lacks. The adapter must
    /// have them.
    ///
    /// # Errors
    /// [`ModelError::Missing`], [`ModelError::Unused`] and [`ModelError::Shape`] if tensors are missing,
    /// unexpected or have another shape; [`ModelError::Config`] if no layer matches.
    pub fn load(
        &self,
        base: AutoModelForSequenceClassification,
        newly_initialized: &[String],
    ) -> Result<AutoModelForSequenceClassification, ModelError> {
        self.load_except(base, newly_initialized, 0, &|_| false)
    }

    /// Loads the adapter as [`load`](Self::load) does, but keeps the classifier of the base model.
    ///
    /// Use it after [`from_pretrained_with_new_head`](crate::from_pretrained_with_new_head), to train on
    /// other labels. The classifier in the adapter is ignored. A LoRA adapter of the classifier itself is
    /// initialized from `seed`.
    ///
    /// # Errors
    /// The errors of [`load`](Self::load), except those about the classifier.
    pub fn load_with_new_head(
        &self,
        base: AutoModelForSequenceClassification,
        newly_initialized: &[String],
        seed: u64,
    ) -> Result<AutoModelForSequenceClassification, ModelError> {
        let architecture = base.architecture();
        self.load_except(base, newly_initialized, seed, &|name| architecture.is_of_classifier(name))
    }

    /// Loads the adapter of a checkpoint, to continue a run that began with `config`.
    ///
    /// It differs from [`load`](Self::load) for PiSSA and OLoRA: A, B and the base weights become those of the run,
    /// bit for bit.
    ///
    /// # Errors
    /// The errors of [`load`](Self::load), and [`ModelError::Config`] if a rank is not that of the run.
    pub fn resume(
        &self,
        base: AutoModelForSequenceClassification,
        newly_initialized: &[String],
        config: &LoraConfig,
    ) -> Result<AutoModelForSequenceClassification, ModelError> {
        let model = self.load(base, newly_initialized)?;
        from_plain_lora(model, config).map_err(|error| self.in_config(error))
    }

    /// Loads the adapter, except parameters for which `is_kept` returns true. These keep their values.
    fn load_except(
        &self,
        base: AutoModelForSequenceClassification,
        newly_initialized: &[String],
        seed: u64,
        is_kept: &dyn Fn(&str) -> bool,
    ) -> Result<AutoModelForSequenceClassification, ModelError> {
        let model = inject(base, &self.config, seed).map_err(|error| self.in_config(error))?;
        let trained = TrainedParameters::of(&model).expect("it has adapters");
        let in_file = |parameter: &Parameter| trained.name_in_file(&parameter.name);
        let names = |parameter: &Parameter| {
            let name = in_file(parameter).filter(|_| !is_kept(&parameter.name))?;
            Some(vec![name])
        };
        let kept = parameters(&model).into_iter().filter(|parameter| is_kept(&parameter.name));
        let kept = kept.filter_map(|parameter| in_file(&parameter)).collect::<Vec<_>>();
        let LoadedParameters { model, missing, mut unused } = read_parameters(model, &self.weights, &names)?;
        let not_in_adapter =
            newly_initialized.iter().filter(|name| !trained.contains(name) && !is_kept(name));
        let missing = not_in_adapter.cloned().chain(missing.iter().filter_map(in_file)).collect::<Vec<_>>();
        unused.retain(|name| !kept.contains(name) && !names::is_in_peft_wrapper(name));
        let path = self.path.clone();
        if !missing.is_empty() {
            return Err(ModelError::Missing { path, names: missing });
        }
        if unused.is_empty() { Ok(model) } else { Err(ModelError::Unused { path, names: unused }) }
    }
}
