//! A list of a module's parameters, by Hugging Face's names.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use embert_model::names::{PathStack, hugging_face_name};

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
    module.visit(&mut list);
    list.parameters
}

/// The number of values that training changes.
pub(crate) fn num_trainable<M: Module>(module: &M) -> usize {
    let trainable = parameters(module).into_iter().filter(|parameter| parameter.is_trainable);
    trainable.map(|parameter| parameter.num_elements).sum()
}

#[derive(Default)]
struct List {
    path: PathStack,
    parameters: Vec<Parameter>,
}

impl ModuleVisitor for List {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        self.parameters.push(Parameter {
            name: hugging_face_name(&self.path.to_string()),
            num_elements: value.shape().num_elements(),
            is_trainable: value.is_require_grad(),
        });
    }
}
