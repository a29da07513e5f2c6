//! A model before its parameters have values: their names and shapes, and which of them an adapter leaves to train.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, Shape, Tensor};

use crate::lora::{Trained, insert};
use crate::names::{ParameterVisitor, hugging_face_name, visit_parameters};
use crate::{AutoConfig, AutoModelForSequenceClassification, LoraConfig, ModelError, names};

/// What is known of a parameter without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterShape {
    /// Hugging Face's name.
    pub name: String,
    /// The path of its module here, which is the same in every architecture from `layer` on.
    pub path: String,
    /// The sizes of its dimensions.
    pub shape: Vec<usize>,
    /// Whether training changes it, as far as the model itself is concerned.
    pub is_trainable: bool,
}

impl ParameterShape {
    /// The number of its values.
    pub fn num_elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it is a matrix of an adapter.
    pub fn is_adapter(&self) -> bool {
        names::is_adapter(&self.name)
    }
}

/// The parameters that a model of this config has, with an adapter where one is given, from the input up.
///
/// No parameter is made for that but those of the adapter; `device` is where they are for a moment.
///
/// # Errors
/// [`ModelError::Lora`] for a setting that cannot be, and when no layer is meant.
pub fn parameter_shapes(
    config: &AutoConfig,
    lora: Option<&LoraConfig>,
    device: &Device,
) -> Result<Vec<ParameterShape>, ModelError> {
    let model = AutoModelForSequenceClassification::zeros(config, device);
    let Some(lora) = lora else { return Ok(shapes(&model, &|_| true)) };
    let model = insert(model, lora, 0)?;
    let trained = Trained::new(&model, lora);
    Ok(shapes(&model, &|name| trained.contains(name)))
}

/// A parameter of zeros that is made when it is first asked for: most are given their values before.
pub(crate) fn zeros<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    let make =
        move |device: &Device, is_trainable| Tensor::zeros(shape, device).set_require_grad(is_trainable);
    Param::uninitialized(ParamId::new(), make, device.clone(), true, Shape::new(shape))
}

fn shapes<M: Module>(model: &M, is_trainable: &dyn Fn(&str) -> bool) -> Vec<ParameterShape> {
    let mut visitor = Shapes { is_trainable, shapes: vec![] };
    visit_parameters(model, &mut visitor);
    visitor.shapes
}

struct Shapes<'a> {
    is_trainable: &'a dyn Fn(&str) -> bool,
    shapes: Vec<ParameterShape>,
}

impl ParameterVisitor for Shapes<'_> {
    fn visit<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let name = hugging_face_name(path);
        let (shape, is_trainable) = (param.lazy_shape().to_vec(), (self.is_trainable)(&name));
        self.shapes.push(ParameterShape { name, path: path.to_string(), shape, is_trainable });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BertConfig, DistilBertConfig, ModuleNames, ParameterCount, add_adapter, count_parameters};

    #[test]
    fn shapes_are_those_of_the_model_and_cost_nothing() {
        let configs = [AutoConfig::from(BertConfig::default()), DistilBertConfig::default().into()];
        for (config, expected) in configs.into_iter().zip([109_483_778, 66_955_010]) {
            let shapes = parameter_shapes(&config, None, &Device::flex()).unwrap();
            assert_eq!(shapes.iter().map(ParameterShape::num_elements).sum::<usize>(), expected);
            assert!(shapes.iter().all(|shape| shape.is_trainable));
            let huge = AutoConfig::from(BertConfig { vocab_size: 1 << 40, ..BertConfig::default() });
            let shapes = parameter_shapes(&huge, None, &Device::flex()).unwrap();
            assert_eq!(shapes[0].shape, [1 << 40, 768]);
        }
    }

    #[test]
    fn adapters_are_counted_as_in_the_model_that_has_them() {
        let names = ModuleNames::Names(vec!["query".into(), "key".into()]);
        let lora = LoraConfig { r: 4, target_modules: Some(names), ..LoraConfig::default() };
        let config = AutoConfig::from(BertConfig::default());
        let shapes = parameter_shapes(&config, Some(&lora), &Device::flex()).unwrap();
        let trained = shapes.iter().filter(|shape| shape.is_trainable);
        let model = AutoModelForSequenceClassification::zeros(&config, &Device::flex());
        let ParameterCount { trainable, .. } =
            count_parameters(&add_adapter(model, &lora, 0).unwrap(), &lora);
        assert_eq!(trained.map(ParameterShape::num_elements).sum::<usize>(), trainable);
    }
}
