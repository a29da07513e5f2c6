//! An adapter on disk: adapter_config.json and adapter_model.safetensors, as PEFT writes and reads them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::initialize::with_values;
use crate::lora::LoraConfig;
use crate::lora::adapter_config::{self, AdapterConfig};
use crate::lora::insert::insert;
use crate::lora::trained::Trained;
use crate::names::{self, ParameterMapper, map_parameters};
use crate::pretrained::{of_labels, read};
use crate::save::write_tensors;
use crate::weights::Weights;
use crate::{LinearLayers, ModelError};

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// Writes `adapter_config.json` and `adapter_model.safetensors` (F32) into a directory that exists: the adapters of a model,
/// its saved modules, and the biases that are trained.
///
/// # Errors
/// [`ModelError::File`] and [`ModelError::Write`] when a file cannot be written.
pub fn save_adapter<M: Module>(
    model: &M,
    config: &LoraConfig,
    base_model_name_or_path: &str,
    directory: &Path,
) -> Result<(), ModelError> {
    adapter_config::write(config, base_model_name_or_path, &directory.join(CONFIG))?;
    let trained = Trained::new(model, config);
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

    /// The number of labels of the head that it brings.
    pub fn num_labels(&self) -> Option<usize> {
        self.weights.find(&[names::peft_head()]).and_then(|(_, head)| head.shape.first().copied())
    }

    /// Puts the adapter into its base model, and freezes what it does not train.
    ///
    /// `newly_initialized` are the parameters that the base's checkpoint lacked: the adapter must bring them.
    ///
    /// # Errors
    /// [`ModelError::Missing`], [`ModelError::Unused`] and [`ModelError::Shape`] name tensors that the file lacks, that
    /// have no place in this model, or that have another shape; [`ModelError::Config`] when no layer is meant.
    pub fn load<M: LinearLayers>(&self, base: M, newly_initialized: &[String]) -> Result<M, ModelError> {
        self.load_except(base, newly_initialized, 0, &|_| false)
    }

    /// Puts the adapter into its base model as [`load`](Self::load) does, but keeps the base's classifier, which is new
    /// after [`from_pretrained_with_new_head`](crate::from_pretrained_with_new_head). The adapter's own classifier is
    /// ignored, whatever its number of labels. A low-rank adapter of the classifier itself is made new from `seed`.
    ///
    /// # Errors
    /// Those of [`load`](Self::load) for the other tensors.
    pub fn load_with_new_head<M: LinearLayers>(
        &self,
        base: M,
        newly_initialized: &[String],
        seed: u64,
    ) -> Result<M, ModelError> {
        self.load_except(base, newly_initialized, seed, &names::is_of_classifier)
    }

    /// Leaves the parameters that `is_kept` names as they are in the base, or as `seed` makes them.
    fn load_except<M: LinearLayers>(
        &self,
        base: M,
        newly_initialized: &[String],
        seed: u64,
        is_kept: &dyn Fn(&str) -> bool,
    ) -> Result<M, ModelError> {
        let model = insert(base, &self.config, seed).map_err(|error| self.in_config(error))?;
        let trained = Trained::new(&model, &self.config);
        let homeless =
            newly_initialized.iter().filter(|name| !trained.contains(name) && !is_kept(name)).cloned();
        let mut loader = Loader {
            adapter: self,
            trained: &trained,
            is_kept,
            used: BTreeSet::new(),
            missing: homeless.collect(),
            error: None,
        };
        let model = map_parameters(model, &mut loader);
        loader.finish().map(|()| model)
    }
}

struct Loader<'a> {
    adapter: &'a Adapter,
    trained: &'a Trained<'a>,
    is_kept: &'a dyn Fn(&str) -> bool,
    used: BTreeSet<String>,
    missing: Vec<String>,
    error: Option<ModelError>,
}

impl Loader<'_> {
    /// The values of a parameter in the module's orientation, where the file holds it.
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, ModelError> {
        let Some(name_in_file) = self.trained.name_in_file(name) else { return Ok(None) };
        if (self.is_kept)(name) {
            self.used.insert(name_in_file);
            return Ok(None);
        }
        let Some((found, stored)) = self.adapter.weights.find(std::slice::from_ref(&name_in_file)) else {
            self.missing.push(name_in_file);
            return Ok(None);
        };
        self.used.insert(name_in_file.clone());
        let values = read(stored, found, shape, names::is_transposed(name, shape.len())).map(Some);
        values.map_err(|error| if names::is_of_classifier(name) { of_labels(error) } else { error })
    }

    fn finish(self) -> Result<(), ModelError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let path = self.adapter.path.clone();
        if !self.missing.is_empty() {
            return Err(ModelError::Missing { path, names: self.missing });
        }
        let found = self.adapter.weights.names();
        let unused = found.filter(|name| !self.used.contains(*name) && !names::is_of_peft_wrapper(name));
        let names = unused.map(String::from).collect::<Vec<_>>();
        if names.is_empty() { Ok(()) } else { Err(ModelError::Unused { path, names }) }
    }
}

impl ParameterMapper for Loader<'_> {
    fn map<const D: usize>(&mut self, path: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        match self.values(&names::hugging_face_name(path), &param.lazy_shape()) {
            Ok(Some(values)) => with_values(param, values),
            Ok(None) => param,
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}
