//! Loading tensors into a model: maps names, transposes linear layers, reports missing and unused tensors.

use std::collections::BTreeSet;
use std::path::Path;

use burn::module::Param;
use burn::tensor::Tensor;

use crate::ModelError;
use crate::architectures::names::{is_buffer, is_transposed};
use crate::architectures::{Architecture, ModelPart};
use crate::auto_config::AutoConfig;
use crate::initialize::{initialize, with_values};
use crate::parameters::{Parameter, ParameterMapper, PreTrainedModel, map_parameters, parameters};
use crate::stored_tensor::StoredTensor;
use crate::transpose::transpose;
use crate::weights::Weights;

/// A model loaded from a checkpoint.
#[derive(Debug)]
pub struct Pretrained<M> {
    /// The model.
    pub model: M,
    /// Names of parameters that the checkpoint lacks. They are randomly initialized and need training.
    pub newly_initialized: Vec<String>,
    /// Names of tensors in the checkpoint that the model does not use, such as those of other heads.
    pub unused: Vec<String>,
}

impl<M> Pretrained<M> {
    /// Returns the model if the checkpoint has all parameters, as evaluation and prediction require.
    ///
    /// # Errors
    /// [`ModelError::Missing`] with the names of the missing parameters.
    pub fn complete(self, directory: &Path) -> Result<M, ModelError> {
        if self.newly_initialized.is_empty() {
            Ok(self.model)
        } else {
            Err(ModelError::Missing { path: directory.into(), names: self.newly_initialized })
        }
    }
}

/// Loads a checkpoint directory into the model that `zeros` returns.
///
/// Parameters of the head are initialized from `seed` if `is_new` returns true or the checkpoint lacks them.
pub(crate) fn load<M: PreTrainedModel>(
    zeros: impl Fn(&AutoConfig) -> M,
    directory: &Path,
    config: &AutoConfig,
    seed: u64,
    is_new: &dyn Fn(&str) -> bool,
) -> Result<Pretrained<M>, ModelError> {
    let (weights, architecture) = (Weights::open(directory)?, config.architecture);
    let described = num_base_parameters(&zeros, config);
    check_size(described, &weights, directory)?;
    let names = |parameter: &Parameter| {
        Some(if is_new(&parameter.name) { vec![] } else { architecture.accepted_names(&parameter.name) })
    };
    let LoadedParameters { model, missing, unused } = read_parameters(zeros(config), &weights, &names)?;
    let may_be_new = |parameter: &Parameter| {
        parameter.part == ModelPart::Head && !architecture.is_of_final_norm(&parameter.name)
    };
    let (new, missing): (Vec<_>, Vec<_>) = missing.into_iter().partition(may_be_new);
    let [new, missing] = [new, missing].map(|list| list.into_iter().map(|p| p.name).collect::<Vec<_>>());
    if !missing.is_empty() {
        return Err(ModelError::Missing { path: directory.into(), names: missing });
    }
    let unused = unused.into_iter().filter(|name| !is_buffer(name));
    let (unexpected, unused): (Vec<_>, Vec<_>) = unused.partition(|name| is_unexpected(architecture, name));
    if !unexpected.is_empty() {
        return Err(ModelError::Unused { path: directory.into(), names: unexpected });
    }
    let model = initialize(model, seed, &config.encoder, &|name| new.iter().any(|new| new == name));
    Ok(Pretrained { model, newly_initialized: new, unused })
}

/// Returns true for a tensor of the base model, except the pooler, that the model has no parameter for and the family
/// does not ignore.
fn is_unexpected(architecture: &Architecture, name: &str) -> bool {
    architecture.is_of_base_model(name)
        && architecture.part_of(name) != Some(ModelPart::Head)
        && !architecture.is_ignored(name)
}

/// Returns the number of parameters in embeddings and layers. Allocates no memory for them.
fn num_base_parameters<M: PreTrainedModel>(zeros: &impl Fn(&AutoConfig) -> M, config: &AutoConfig) -> u128 {
    let mut config = config.clone();
    let num_layers = config.encoder.num_stored_layers();
    (config.encoder.num_hidden_layers, config.encoder.num_hidden_groups) = (1, None);
    let counted = parameters(&zeros(&config)).into_iter().map(|parameter| {
        let size = parameter.shape.iter().map(|&n| n as u128).product::<u128>();
        match parameter.part {
            ModelPart::Embeddings => size,
            ModelPart::Layer(_) => size * num_layers as u128,
            ModelPart::Head => 0,
        }
    });
    counted.sum()
}

/// Fails if the config describes far more parameters than the files hold, before memory is allocated.
///
/// If the difference is small, loading later names the tensor that does not fit.
fn check_size(described: u128, weights: &Weights, directory: &Path) -> Result<(), ModelError> {
    const SLACK: u128 = 1 << 20;
    let held = weights.num_values();
    if described <= 2 * held + SLACK {
        return Ok(());
    }
    Err(ModelError::TooLarge { directory: directory.into(), described, held })
}

/// Result of [`read_parameters`].
pub(crate) struct LoadedParameters<M> {
    pub(crate) model: M,
    /// Parameters that the files lack. They are unchanged.
    pub(crate) missing: Vec<Parameter>,
    /// Tensors in the files that belong to no parameter.
    pub(crate) unused: Vec<String>,
}

/// Loads each parameter from the first of its `names` that exists in the files. `None` skips the parameter.
pub(crate) fn read_parameters<M: PreTrainedModel>(
    model: M,
    weights: &Weights,
    names: &dyn Fn(&Parameter) -> Option<Vec<String>>,
) -> Result<LoadedParameters<M>, ModelError> {
    let architecture = model.architecture();
    let mut loader =
        ParameterLoader { architecture, weights, names, used: BTreeSet::new(), missing: vec![], error: None };
    let model = map_parameters(model, &mut loader);
    let ParameterLoader { used, missing, error, .. } = loader;
    let unused = weights.names().filter(|name| !used.contains(*name)).map(String::from).collect();
    error.map_or(Ok(LoadedParameters { model, missing, unused }), Err)
}

struct ParameterLoader<'a> {
    architecture: &'static Architecture,
    weights: &'a Weights,
    names: &'a dyn Fn(&Parameter) -> Option<Vec<String>>,
    used: BTreeSet<String>,
    missing: Vec<Parameter>,
    error: Option<ModelError>,
}

impl ParameterLoader<'_> {
    /// Reads the values of a parameter, in the orientation of the module; `None` if the files lack it.
    fn values(&mut self, parameter: Parameter) -> Result<Option<Vec<f32>>, ModelError> {
        let Some(names) = (self.names)(&parameter) else { return Ok(None) };
        let Some((found, stored)) = self.weights.find(&names) else {
            self.missing.push(parameter);
            return Ok(None);
        };
        self.used.insert(found.to_string());
        let Parameter { name, shape, .. } = parameter;
        let values = read(stored, found, &shape, is_transposed(&name, shape.len())).map(Some);
        values.map_err(|error| {
            if self.architecture.is_of_classifier(&name) { label_count_error(error) } else { error }
        })
    }
}

impl ParameterMapper for ParameterLoader<'_> {
    fn map<const D: usize>(&mut self, parameter: Parameter, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        match self.values(parameter) {
            Ok(Some(values)) => with_values(param, values),
            Ok(None) => param,
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}

/// Turns a shape error of the classifier into an error about the number of labels.
fn label_count_error(error: ModelError) -> ModelError {
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

/// Reads a tensor and transposes it if necessary. `shape` is the shape in the module.
fn read(
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

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::architectures::{BERT, DISTILBERT};
    use crate::auto_model::AutoModel;

    // Counted by transformers, without the 590,592 parameters of the pooler.
    #[test]
    fn bert_and_distilbert_have_the_known_numbers_of_parameters() {
        for (architecture, expected) in [(&BERT, 109_482_240 - 590_592), (&DISTILBERT, 66_362_880)] {
            let config = AutoConfig::new(architecture, (architecture.default_config)());
            let zeros =
                |config: &AutoConfig| AutoModel::zeros(config, architecture.has_pooler, &Device::flex());
            assert_eq!(num_base_parameters(&zeros, &config), expected);
        }
    }
}
