//! A list of a module's parameters, by Hugging Face's names.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use embert_model::names::{ParameterVisitor, hugging_face_name, visit_parameters};

/// What is known of a parameter without its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) num_elements: usize,
    pub(crate) is_trainable: bool,
}

/// All parameters, from the input up.
pub(crate) fn parameters<M: Module>(module: &M) -> Vec<Parameter> {
    let mut list = List::default();
    visit_parameters(module, &mut list);
    list.parameters
}

/// The number of values that training changes.
pub(crate) fn num_trainable<M: Module>(module: &M) -> usize {
    let trainable = parameters(module).into_iter().filter(|parameter| parameter.is_trainable);
    trainable.map(|parameter| parameter.num_elements).sum()
}

#[derive(Default)]
struct List {
    parameters: Vec<Parameter>,
}

impl ParameterVisitor for List {
    fn visit<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let value = param.val();
        self.parameters.push(Parameter {
            name: hugging_face_name(path),
            num_elements: value.shape().num_elements(),
            is_trainable: value.is_require_grad(),
        });
    }
}
