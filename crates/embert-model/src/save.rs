//! Saving a model in the format of transformers: config.json and model.safetensors.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use burn::module::Param;
use burn::tensor::Tensor;
use safetensors::Dtype;

use crate::ModelError;
use crate::architectures::names::is_transposed;
use crate::auto_config::AutoConfig;
use crate::classification::AutoModelForSequenceClassification;
use crate::parameters::{Parameter, ParameterVisitor, PreTrainedModel, visit_parameters};
use crate::safetensors_file::{TensorToWrite, write_f32, write_safetensors, write_slice};
use crate::transpose::transpose;

/// Writes `config.json` and `model.safetensors` (F32) into an existing directory.
///
/// `AutoModelForSequenceClassification.from_pretrained` of transformers opens the result.
/// Only one linear layer at a time, or 16 MiB of another tensor, is copied in host memory.
///
/// # Errors
/// [`ModelError::File`] and [`ModelError::Write`] if a file cannot be written; [`ModelError::Adapted`] if the
/// model has LoRA adapters.
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

/// Writes each parameter for which `name_in_file` returns a name. It maps the Hugging Face name to the name
/// in the file.
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

/// A tensor that stays on the device until it is written. Reading it back synchronizes the device.
struct LazyTensor {
    flat: Tensor<1>,
    /// The shape in the file.
    shape: Vec<usize>,
    transposed: bool,
}

impl TensorToWrite for LazyTensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.transposed {
            return write_f32(&self.flat, out);
        }
        let values = self.flat.clone().into_data().try_to_vec::<f32>().expect("parameters are f32");
        write_slice(&transpose(&values, self.shape[1], self.shape[0]), out)
    }
}
