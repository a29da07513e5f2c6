//! Loading a checkpoint into the model: names mapped, dense layers transposed, everything accounted for.

use std::collections::BTreeSet;
use std::path::Path;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::initialize::{initial_value, with_values};
use crate::names::{self, ParameterMapper, map_parameters};
use crate::weights::{StoredTensor, Weights};
use crate::{AutoConfig, AutoModelForSequenceClassification, ModelError};

/// A model that was read from a checkpoint.
#[derive(Debug)]
pub struct Pretrained<M = AutoModelForSequenceClassification> {
    /// The model.
    pub model: M,
    /// The names of parameters that the checkpoint does not hold and that were made new: to be trained before use.
    pub newly_initialized: Vec<String>,
    /// The names of tensors in the checkpoint that the model does not use: those of other heads.
    pub unused: Vec<String>,
}

impl Pretrained {
    /// The model, if nothing of it is new: what evaluation and prediction need.
    ///
    /// # Errors
    /// [`ModelError::Missing`] names what the checkpoint lacks.
    pub fn complete(self, directory: &Path) -> Result<AutoModelForSequenceClassification, ModelError> {
        match self.newly_initialized.is_empty() {
            true => Ok(self.model),
            false => Err(ModelError::Missing { path: directory.into(), names: self.newly_initialized }),
        }
    }
}

/// Reads `model.safetensors` (or its shards) of a checkpoint directory into a model of this shape.
///
/// The checkpoint may be of a classifier, of a model with other heads or of the encoder alone. Heads other than a
/// sequence classifier's are unused; a `classifier` is one of them if `architectures` of the config names another task.
/// The layers above the encoder that the checkpoint lacks are made new from `seed`.
///
/// # Errors
/// [`ModelError::TooLarge`] for a config of another size than the files. [`ModelError::LabelCount`] for a classifier with
/// another number of labels. Any other tensor that is missing, has no place in the encoder or has the wrong shape is an
/// error that names it; so are broken files, values that are not finite, and other formats.
pub fn from_pretrained(
    directory: &Path,
    config: &AutoConfig,
    seed: u64,
    device: &Device,
) -> Result<Pretrained, ModelError> {
    let head = if config.may_have_sequence_head() { Head::Loaded } else { Head::New };
    load(directory, config, head, seed, device)
}

/// Reads a checkpoint as [`from_pretrained`] does, but makes the classifier new, whatever the checkpoint holds. The
/// pooler and DistilBERT's `pre_classifier` are kept, as with `ignore_mismatched_sizes` in transformers.
///
/// # Errors
/// Those of [`from_pretrained`] except [`ModelError::LabelCount`].
pub fn from_pretrained_with_new_head(
    directory: &Path,
    config: &AutoConfig,
    seed: u64,
    device: &Device,
) -> Result<Pretrained, ModelError> {
    load(directory, config, Head::New, seed, device)
}

/// Whether a checkpoint holds the head of a fine-tuned sequence classifier; `config` is the checkpoint's own. Reads the
/// headers of the files alone.
///
/// # Errors
/// For weights that are missing, broken or in another format.
pub fn has_classification_head(directory: &Path, config: &AutoConfig) -> Result<bool, ModelError> {
    let weights = Weights::open(directory)?;
    let has = |parameter: &str| weights.find(&[format!("classifier.{parameter}")]).is_some();
    Ok(config.may_have_sequence_head() && has("weight") && has("bias"))
}

/// Where the classifier's values come from.
#[derive(Clone, Copy, PartialEq)]
enum Head {
    /// The checkpoint, if it has them.
    Loaded,
    /// The seed.
    New,
}

fn load(
    directory: &Path,
    config: &AutoConfig,
    head: Head,
    seed: u64,
    device: &Device,
) -> Result<Pretrained, ModelError> {
    fill(|| AutoModelForSequenceClassification::zeros(config, device), directory, config, head, seed)
}

/// Reads a checkpoint into an encoder without a head.
pub(crate) fn load_encoder<M: Module>(
    zeros: impl FnOnce() -> M,
    directory: &Path,
    config: &AutoConfig,
) -> Result<Pretrained<M>, ModelError> {
    fill(zeros, directory, config, Head::Loaded, 0)
}

fn fill<M: Module>(
    zeros: impl FnOnce() -> M,
    directory: &Path,
    config: &AutoConfig,
    head: Head,
    seed: u64,
) -> Result<Pretrained<M>, ModelError> {
    let weights = Weights::open(directory)?;
    check_size(config, &weights, directory)?;
    let mut loader = Loader::new(&weights, head, seed, config.initializer_range());
    let model = map_parameters(zeros(), &mut loader);
    let (newly_initialized, unused) = loader.finish(directory)?;
    Ok(Pretrained { model, newly_initialized, unused })
}

/// Refuses a model far beyond its files, before memory is asked for: numbers in a config.json are soon written. Where the
/// two differ by less, the tensor that does not fit is named later.
fn check_size(config: &AutoConfig, weights: &Weights, directory: &Path) -> Result<(), ModelError> {
    const SLACK: u128 = 1 << 20;
    let (described, held) = (config.encoder().num_parameters(), weights.num_values());
    match described > 2 * held + SLACK {
        false => Ok(()),
        true => Err(ModelError::TooLarge { directory: directory.into(), described, held }),
    }
}

struct Loader<'a> {
    weights: &'a Weights,
    head: Head,
    seed: u64,
    std: f64,
    used: BTreeSet<String>,
    missing: Vec<String>,
    error: Option<ModelError>,
}

impl<'a> Loader<'a> {
    fn new(weights: &'a Weights, head: Head, seed: u64, std: f64) -> Self {
        let (used, missing) = (BTreeSet::new(), vec![]);
        Self { weights, head, seed, std, used, missing, error: None }
    }

    /// The values of the parameter at this path, in the module's orientation.
    fn values(&mut self, path: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let name = names::hugging_face_name(path);
        let is_new = self.head == Head::New && names::is_of_classifier(&name);
        let held = if is_new { None } else { self.weights.find(&names::accepted_names(&name)) };
        let Some((found, stored)) = held else {
            self.missing.push(name);
            return Ok(initial_value(path, shape, self.seed, self.std));
        };
        self.used.insert(found.to_string());
        let values = read(stored, found, shape, names::is_transposed(&name, shape.len()));
        values.map_err(|error| if names::is_of_classifier(&name) { of_labels(error) } else { error })
    }

    /// The names of new parameters, and of tensors that are not used.
    fn finish(self, directory: &Path) -> Result<(Vec<String>, Vec<String>), ModelError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let (newly_initialized, missing): (Vec<_>, Vec<_>) =
            self.missing.into_iter().partition(|name| names::may_be_initialized(name));
        if !missing.is_empty() {
            return Err(ModelError::Missing { path: directory.into(), names: missing });
        }
        let unused =
            self.weights.names().filter(|name| !self.used.contains(*name) && !names::is_buffer(name));
        let (misplaced, unused): (Vec<_>, Vec<_>) =
            unused.map(str::to_string).partition(|name| names::is_of_encoder(name));
        match misplaced.is_empty() {
            true => Ok((newly_initialized, unused)),
            false => Err(ModelError::Unused { path: directory.into(), names: misplaced }),
        }
    }
}

impl ParameterMapper for Loader<'_> {
    fn map<const D: usize>(&mut self, path: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        match self.values(path, &param.lazy_shape()) {
            Ok(values) => with_values(param, values),
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}

/// Reports a classifier of the right width under the number of its labels.
pub(crate) fn of_labels(error: ModelError) -> ModelError {
    match error {
        ModelError::Shape { path, name, found, expected } => match (found.as_slice(), expected.as_slice()) {
            (&[labels, width], &[expected, hidden_size]) if width == hidden_size => {
                ModelError::LabelCount { path, name, found: [labels, width], expected }
            }
            _ => ModelError::Shape { path, name, found, expected },
        },
        other => other,
    }
}

/// The values of a tensor in the module's orientation; `shape` is that of the module.
pub(crate) fn read(
    stored: &StoredTensor,
    name: &str,
    shape: &[usize],
    transposed: bool,
) -> Result<Vec<f32>, ModelError> {
    let mut expected = shape.to_vec();
    if transposed {
        expected.reverse();
    }
    if stored.shape != expected {
        let found = stored.shape.clone();
        return Err(ModelError::Shape { path: stored.path.clone(), name: name.into(), found, expected });
    }
    let values = stored.read(name)?;
    Ok(if transposed { transpose(&values, expected[0], expected[1]) } else { values })
}

/// `[rows, columns]` to `[columns, rows]`, in blocks that stay in the cache.
pub(crate) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const BLOCK: usize = 32;
    let mut transposed = vec![0.0; values.len()];
    for row in (0..rows).step_by(BLOCK) {
        for column in (0..columns).step_by(BLOCK) {
            for r in row..rows.min(row + BLOCK) {
                for c in column..columns.min(column + BLOCK) {
                    transposed[c * rows + r] = values[r * columns + c];
                }
            }
        }
    }
    transposed
}
