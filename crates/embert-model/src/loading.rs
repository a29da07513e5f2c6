//! Reading tensors into a model: names mapped, dense layers transposed, everything accounted for.

use std::collections::BTreeSet;
use std::path::Path;

use burn::module::Param;
use burn::tensor::Tensor;

use crate::ModelError;
use crate::architectures::names::{is_buffer, is_transposed};
use crate::architectures::{Architecture, Part};
use crate::auto_config::AutoConfig;
use crate::initialize::{initialize, with_values};
use crate::parameters::{Parameter, ParameterMapper, PreTrainedModel, map_parameters, parameters};
use crate::transpose::transpose;
use crate::weights::{StoredTensor, Weights};

/// A model that was read from a checkpoint.
#[derive(Debug)]
pub struct Pretrained<M> {
    /// The model.
    pub model: M,
    /// The names of parameters that the checkpoint does not have and that were made new: to be trained before use.
    pub newly_initialized: Vec<String>,
    /// The names of tensors in the checkpoint that the model does not use: those of other heads.
    pub unused: Vec<String>,
}

impl<M> Pretrained<M> {
    /// Returns the model if nothing of it is new: what evaluation and prediction need.
    ///
    /// # Errors
    /// [`ModelError::Missing`] names what the checkpoint lacks.
    pub fn complete(self, directory: &Path) -> Result<M, ModelError> {
        if self.newly_initialized.is_empty() {
            Ok(self.model)
        } else {
            Err(ModelError::Missing { path: directory.into(), names: self.newly_initialized })
        }
    }
}

/// Reads a checkpoint directory into the model that `zeros` makes. Parameters of the head are made new from `seed` if
/// `is_new` says so or if the checkpoint does not have them.
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
    let Read { model, missing, unused } = read_parameters(zeros(config), &weights, &names)?;
    let (new, missing): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|parameter| parameter.part == Part::Head);
    let [new, missing] = [new, missing].map(|list| list.into_iter().map(|p| p.name).collect::<Vec<_>>());
    if !missing.is_empty() {
        return Err(ModelError::Missing { path: directory.into(), names: missing });
    }
    let unused = unused.into_iter().filter(|name| !is_buffer(name));
    let (misplaced, unused): (Vec<_>, Vec<_>) = unused.partition(|name| is_misplaced(architecture, name));
    if !misplaced.is_empty() {
        return Err(ModelError::Unused { path: directory.into(), names: misplaced });
    }
    let model =
        initialize(model, seed, config.encoder.initializer_range, &|name| new.iter().any(|new| new == name));
    Ok(Pretrained { model, newly_initialized: new, unused })
}

/// Returns true for a tensor of the base model, other than its pooler, that has no place in it.
fn is_misplaced(architecture: &Architecture, name: &str) -> bool {
    architecture.is_of_base_model(name) && architecture.part_of(name) != Some(Part::Head)
}

/// The number of parameters that no checkpoint lacks: those of embeddings and layers. Takes no memory for them, and counts
/// one layer for all.
fn num_base_parameters<M: PreTrainedModel>(zeros: &impl Fn(&AutoConfig) -> M, config: &AutoConfig) -> u128 {
    let mut config = config.clone();
    let num_layers = std::mem::replace(&mut config.encoder.num_hidden_layers, 1);
    let counted = parameters(&zeros(&config)).into_iter().map(|parameter| {
        let size = parameter.shape.iter().map(|&n| n as u128).product::<u128>();
        match parameter.part {
            Part::Embeddings => size,
            Part::Layer(_) => size * num_layers as u128,
            Part::Head => 0,
        }
    });
    counted.sum()
}

/// Refuses a config that describes far more than its files hold, before memory is taken: a wrong number in a config.json is
/// easily written. Where the two differ by less, the tensor that does not fit is named later.
fn check_size(described: u128, weights: &Weights, directory: &Path) -> Result<(), ModelError> {
    const SLACK: u128 = 1 << 20;
    let held = weights.num_values();
    if described <= 2 * held + SLACK {
        return Ok(());
    }
    Err(ModelError::TooLarge { directory: directory.into(), described, held })
}

/// A model with the tensors of some files.
pub(crate) struct Read<M> {
    pub(crate) model: M,
    /// The parameters that the files do not have; they are as they were.
    pub(crate) missing: Vec<Parameter>,
    /// The tensors that no parameter has.
    pub(crate) unused: Vec<String>,
}

/// Gives each parameter the tensor that has the first of its `names`; one without names stays as it is.
pub(crate) fn read_parameters<M: PreTrainedModel>(
    model: M,
    weights: &Weights,
    names: &dyn Fn(&Parameter) -> Option<Vec<String>>,
) -> Result<Read<M>, ModelError> {
    let architecture = model.architecture();
    let mut reader =
        Reader { architecture, weights, names, used: BTreeSet::new(), missing: vec![], error: None };
    let model = map_parameters(model, &mut reader);
    let Reader { used, missing, error, .. } = reader;
    let unused = weights.names().filter(|name| !used.contains(*name)).map(String::from).collect();
    error.map_or(Ok(Read { model, missing, unused }), Err)
}

struct Reader<'a> {
    architecture: &'static Architecture,
    weights: &'a Weights,
    names: &'a dyn Fn(&Parameter) -> Option<Vec<String>>,
    used: BTreeSet<String>,
    missing: Vec<Parameter>,
    error: Option<ModelError>,
}

impl Reader<'_> {
    /// The values of a parameter in the module's orientation, if the files have it.
    fn values(&mut self, parameter: Parameter) -> Result<Option<Vec<f32>>, ModelError> {
        let Some(names) = (self.names)(&parameter) else { return Ok(None) };
        let Some((found, stored)) = self.weights.find(&names) else {
            self.missing.push(parameter);
            return Ok(None);
        };
        self.used.insert(found.to_string());
        let Parameter { name, shape, .. } = parameter;
        let values = read(stored, found, &shape, is_transposed(&name, shape.len())).map(Some);
        values
            .map_err(|error| if self.architecture.is_of_classifier(&name) { of_labels(error) } else { error })
    }
}

impl ParameterMapper for Reader<'_> {
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

/// Reports a classifier of the right width under the number of its labels.
fn of_labels(error: ModelError) -> ModelError {
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

    // What transformers counts, less the pooler's 590,592.
    #[test]
    fn the_known_models_have_as_many_parameters_as_is_known() {
        for (architecture, expected) in [(&BERT, 109_482_240 - 590_592), (&DISTILBERT, 66_362_880)] {
            let config = AutoConfig::new(architecture, (architecture.default_config)());
            let zeros =
                |config: &AutoConfig| AutoModel::zeros(config, architecture.has_pooler, &Device::flex());
            assert_eq!(num_base_parameters(&zeros, &config), expected);
        }
    }
}
