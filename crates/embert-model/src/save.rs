//! Saving a model as `transformers` opens it: config.json and model.safetensors, one tensor in memory at a time.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use burn::module::Param;
use burn::tensor::Tensor;
use safetensors::Dtype;
use safetensors::tensor::View;

use crate::architectures::names::is_transposed;
use crate::auto_config::AutoConfig;
use crate::classification::AutoModelForSequenceClassification;
use crate::parameters::{Parameter, ParameterVisitor, PreTrainedModel, visit_parameters};
use crate::transpose::transpose;
use crate::{ModelError, write_safetensors};

/// Writes `config.json` and `model.safetensors` (F32) of a model and its config into a directory that exists.
///
/// # Errors
/// [`ModelError::File`] and [`ModelError::Write`] when a file cannot be written; [`ModelError::Adapted`] for a model that
/// has adapters.
pub fn save_pretrained(
    model: &AutoModelForSequenceClassification,
    config: &AutoConfig,
    directory: &Path,
) -> Result<(), ModelError> {
    if model.lora().is_some() {
        return Err(ModelError::Adapted { path: directory.into() });
    }
    config.save(directory)?;
    write_tensors(model, &|name| Some(name.to_string()), &directory.join("model.safetensors"))
}

/// Writes the parameters for whose Hugging Face name `name_in_file` returns one.
pub(crate) fn write_tensors<M: PreTrainedModel>(
    model: &M,
    name_in_file: &dyn Fn(&str) -> Option<String>,
    path: &Path,
) -> Result<(), ModelError> {
    let mut collector = Collector { name_in_file, tensors: vec![] };
    visit_parameters(model, &mut collector);
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    write_safetensors(collector.tensors, Some(metadata), path)
}

struct Collector<'a> {
    name_in_file: &'a dyn Fn(&str) -> Option<String>,
    tensors: Vec<(String, LazyTensor)>,
}

impl ParameterVisitor for Collector<'_> {
    fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>) {
        let Some(name_in_file) = (self.name_in_file)(&parameter.name) else { return };
        let transposed = is_transposed(&parameter.name, D);
        let mut shape = parameter.shape;
        if transposed {
            shape.reverse();
        }
        let length: usize = shape.iter().product();
        let flat = param.val().reshape([length]);
        self.tensors.push((name_in_file, LazyTensor { flat, shape, transposed }));
    }
}

/// A tensor that is read back (which synchronizes the device) only when it is written.
struct LazyTensor {
    flat: Tensor<1>,
    /// As in the file.
    shape: Vec<usize>,
    transposed: bool,
}

impl View for LazyTensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = self.flat.clone().into_data().try_to_vec::<f32>().expect("parameters are f32");
        let values = if self.transposed { transpose(&values, self.shape[1], self.shape[0]) } else { values };
        Cow::Owned(values.into_iter().flat_map(f32::to_le_bytes).collect())
    }

    fn data_len(&self) -> usize {
        self.shape.iter().product::<usize>() * size_of::<f32>()
    }
}
