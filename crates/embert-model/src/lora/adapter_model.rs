//! An adapter on disk: adapter_config.json and adapter_model.safetensors, as PEFT writes and reads them.

use std::path::{Path, PathBuf};

use crate::ModelError;
use crate::architectures::ARCHITECTURES;
use crate::classification::AutoModelForSequenceClassification;
use crate::loading::{Read, read_parameters};
use crate::lora::adapter_config::{self, AdapterConfig};
use crate::lora::config::LoraConfig;
use crate::lora::insert::insert;
use crate::lora::names;
use crate::lora::trained::Trained;
use crate::parameters::{Parameter, PreTrainedModel, parameters};
use crate::save::write_tensors;
use crate::weights::Weights;

/// The name of the file next to an adapter that has the config of its model, with the names of the labels. It is not
/// `config.json`: transformers would take the directory for a complete model.
pub const ADAPTER_MODEL_CONFIG: &str = "model_config.json";

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// Writes `adapter_config.json` and `adapter_model.safetensors` (F32) into a directory that exists: the adapters of a model,
/// its saved modules, and the biases that are trained.
///
/// # Errors
/// [`ModelError::File`] and [`ModelError::Write`] when a file cannot be written; [`ModelError::NotAdapted`] for a model
/// without adapters.
pub fn save_adapter(
    model: &AutoModelForSequenceClassification,
    base_model_name_or_path: &str,
    directory: &Path,
) -> Result<(), ModelError> {
    let (Some(config), Some(trained)) = (model.lora(), Trained::of(model)) else {
        return Err(ModelError::NotAdapted { path: directory.into() });
    };
    adapter_config::write(config, base_model_name_or_path, &directory.join(CONFIG))?;
    write_tensors(model, &|name| trained.name_in_file(name), &directory.join(WEIGHTS))
}

/// An adapter that is in a directory.
pub struct Adapter {
    /// Its settings.
    pub config: LoraConfig,
    /// The model that it belongs to: a directory or an id of the hub.
    pub base_model_name_or_path: Option<String>,
    /// Keys of adapter_config.json that mean nothing here.
    pub unknown_keys: Vec<String>,
    path: PathBuf,
    weights: Weights,
}

impl Adapter {
    /// Whether a directory holds an adapter.
    pub fn is_in(directory: &Path) -> bool {
        directory.join(CONFIG).is_file()
    }

    /// Reads the settings, and where the tensors lie.
    ///
    /// # Errors
    /// For files that are not there or broken, and pickles; [`ModelError::Unsupported`] for an adapter of another kind.
    pub fn open(directory: &Path) -> Result<Self, ModelError> {
        let AdapterConfig { config, base_model_name_or_path, unknown_keys } =
            AdapterConfig::read(&directory.join(CONFIG))?;
        let (path, pickle) = (directory.join(WEIGHTS), directory.join("adapter_model.bin"));
        if !path.is_file() && pickle.is_file() {
            return Err(ModelError::Pickle { path: pickle });
        }
        let weights = Weights::open_file(&path)?;
        Ok(Self { config, base_model_name_or_path, unknown_keys, path, weights })
    }

    /// Says which file holds a setting that cannot be.
    fn in_config(&self, error: ModelError) -> ModelError {
        match error {
            ModelError::Lora { key, reason } => ModelError::Config {
                path: self.path.with_file_name(CONFIG),
                reason: format!("{key}: {reason}"),
            },
            other => other,
        }
    }

    /// The number of labels of its head.
    pub fn num_labels(&self) -> Option<usize> {
        let classifiers = ARCHITECTURES.map(|architecture| names::peft_head(architecture.head.classifier));
        self.weights.find(&classifiers).and_then(|(_, head)| head.shape.first().copied())
    }

    /// Puts the adapter into its base model, and freezes what it does not train.
    ///
    /// `newly_initialized` are the parameters that the base's checkpoint lacked: the adapter must have them.
    ///
    /// # Errors
    /// [`ModelError::Missing`], [`ModelError::Unused`] and [`ModelError::Shape`] name tensors that the file lacks, that
    /// have no place in this model, or that have another shape; [`ModelError::Config`] when no layer matches.
    pub fn load(
        &self,
        base: AutoModelForSequenceClassification,
        newly_initialized: &[String],
    ) -> Result<AutoModelForSequenceClassification, ModelError> {
        self.load_except(base, newly_initialized, 0, &|_| false)
    }

    /// Puts the adapter into its base model as [`load`](Self::load) does, but keeps the base's classifier, which is new
    /// after [`from_pretrained_with_new_head`](crate::from_pretrained_with_new_head). The adapter's own classifier is
    /// ignored, whatever its number of labels. A low-rank adapter of the classifier itself is made new from `seed`.
    ///
    /// # Errors
    /// Those of [`load`](Self::load) for the other tensors.
    pub fn load_with_new_head(
        &self,
        base: AutoModelForSequenceClassification,
        newly_initialized: &[String],
        seed: u64,
    ) -> Result<AutoModelForSequenceClassification, ModelError> {
        let architecture = base.architecture();
        self.load_except(base, newly_initialized, seed, &|name| architecture.is_of_classifier(name))
    }

    /// Leaves the parameters for which `is_kept` returns true as they are in the base, or as `seed` makes them.
    fn load_except(
        &self,
        base: AutoModelForSequenceClassification,
        newly_initialized: &[String],
        seed: u64,
        is_kept: &dyn Fn(&str) -> bool,
    ) -> Result<AutoModelForSequenceClassification, ModelError> {
        let model = insert(base, &self.config, seed).map_err(|error| self.in_config(error))?;
        let trained = Trained::of(&model).expect("it has adapters");
        let in_file = |parameter: &Parameter| trained.name_in_file(&parameter.name);
        let names = |parameter: &Parameter| {
            let name = in_file(parameter).filter(|_| !is_kept(&parameter.name))?;
            Some(vec![name])
        };
        let kept = parameters(&model).into_iter().filter(|parameter| is_kept(&parameter.name));
        let kept = kept.filter_map(|parameter| in_file(&parameter)).collect::<Vec<_>>();
        let Read { model, missing, mut unused } = read_parameters(model, &self.weights, &names)?;
        let lacking = newly_initialized.iter().filter(|name| !trained.contains(name) && !is_kept(name));
        let missing = lacking.cloned().chain(missing.iter().filter_map(in_file)).collect::<Vec<_>>();
        unused.retain(|name| !kept.contains(name) && !names::is_of_peft_wrapper(name));
        let path = self.path.clone();
        if !missing.is_empty() {
            return Err(ModelError::Missing { path, names: missing });
        }
        if unused.is_empty() { Ok(model) } else { Err(ModelError::Unused { path, names: unused }) }
    }
}
