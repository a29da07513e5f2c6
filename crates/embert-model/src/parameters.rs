//! The parameters of a model, from the input to the head, each with its names.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Shape, Tensor};

use crate::architectures::{Architecture, Part};

/// A model of one family.
pub trait PreTrainedModel: Module {
    /// Its family.
    fn architecture(&self) -> &'static Architecture;
}

/// A parameter without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name in `transformers`, or in PEFT for an adapter's.
    pub name: String,
    /// The path of the module, with the family's names for the large parts: the key of gradients, of an optimizer's state
    /// and of initial values.
    pub path: String,
    /// The part of the model that it is in.
    pub part: Part,
    /// The sizes of its dimensions; those of a dense layer are `[in, out]`.
    pub shape: Vec<usize>,
    /// True if it requires a gradient. A model without autodiff requires none.
    pub is_trainable: bool,
}

impl Parameter {
    fn new<const D: usize>(path: String, param: &Param<Tensor<D>>, architecture: &Architecture) -> Self {
        let name = architecture.name(&path);
        let part = architecture.part_of(&name).expect("a family knows the names of its own parameters");
        // A parameter that has no values yet is not made here.
        let is_trainable = param.is_initialized() && param.val().is_require_grad();
        Self { name, path, part, shape: param.lazy_shape().to_vec(), is_trainable }
    }

    /// The number of values.
    pub fn num_elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Visits parameters.
pub trait ParameterVisitor {
    /// Visits one parameter.
    fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>);
}

/// Replaces parameters.
pub trait ParameterMapper {
    /// Returns what replaces a parameter.
    fn map<const D: usize>(&mut self, parameter: Parameter, param: Param<Tensor<D>>) -> Param<Tensor<D>>;
}

/// Shows a visitor all parameters, from the input to the head.
pub fn visit_parameters<M: PreTrainedModel>(model: &M, visitor: &mut impl ParameterVisitor) {
    model.visit(&mut Walk { levels: vec![], architecture: model.architecture(), each: visitor });
}

/// Returns the model with each parameter replaced as the mapper says.
pub fn map_parameters<M: PreTrainedModel>(model: M, mapper: &mut impl ParameterMapper) -> M {
    let architecture = model.architecture();
    model.map(&mut Walk { levels: vec![], architecture, each: mapper })
}

/// Returns all parameters, from the input to the head.
pub fn parameters<M: PreTrainedModel>(model: &M) -> Vec<Parameter> {
    struct List(Vec<Parameter>);
    impl ParameterVisitor for List {
        fn visit<const D: usize>(&mut self, parameter: Parameter, _param: &Param<Tensor<D>>) {
            self.0.push(parameter);
        }
    }
    let mut list = List(vec![]);
    visit_parameters(model, &mut list);
    list.0
}

/// Lets exactly the parameters require a gradient for whose Hugging Face name `trainable` returns true.
///
/// The others get no gradient, no optimizer state and no weight decay, and backward computes nothing for them. Their
/// dropout stays on.
///
/// ```
/// use burn::tensor::Device;
/// use embert_model::{AutoConfig, AutoModelForSequenceClassification, BERT, EncoderConfig, parameters, set_trainable};
///
/// let small = EncoderConfig { num_hidden_layers: 1, hidden_size: 32, num_attention_heads: 2, ..EncoderConfig::default() };
/// let config = AutoConfig::new(&BERT, small);
/// let model = AutoModelForSequenceClassification::new(&config, 42, &Device::flex().autodiff());
/// let model = set_trainable(model, &|name| name.starts_with("classifier."));
/// let trainable = parameters(&model).into_iter().filter(|parameter| parameter.is_trainable);
/// assert!(trainable.map(|parameter| parameter.name).eq(["classifier.weight", "classifier.bias"]));
/// ```
pub fn set_trainable<M: PreTrainedModel>(model: M, trainable: &dyn Fn(&str) -> bool) -> M {
    struct SetTrainable<'a>(&'a dyn Fn(&str) -> bool);
    impl ParameterMapper for SetTrainable<'_> {
        fn map<const D: usize>(&mut self, parameter: Parameter, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.set_require_grad((self.0)(&parameter.name))
        }
    }
    map_parameters(model, &mut SetTrainable(trainable))
}

/// A parameter of zeros that takes memory when its value is first read. Most get other values before.
pub(crate) fn zeros<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    let make =
        move |device: &Device, is_trainable| Tensor::zeros(shape, device).set_require_grad(is_trainable);
    Param::uninitialized(ParamId::new(), make, device.clone(), true, Shape::new(shape))
}

struct Walk<'a, T> {
    levels: Vec<String>,
    architecture: &'static Architecture,
    each: &'a mut T,
}

impl<T> Walk<'_, T> {
    fn parameter<const D: usize>(&self, param: &Param<Tensor<D>>) -> Parameter {
        Parameter::new(self.architecture.path(&self.levels.join(".")), param, self.architecture)
    }
}

impl<T: ParameterVisitor> ModuleVisitor for Walk<'_, T> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.levels.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.levels.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.each.visit(self.parameter(param), param);
    }
}

impl<T: ParameterMapper> ModuleMapper for Walk<'_, T> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.levels.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.levels.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let parameter = self.parameter(&param);
        self.each.map(parameter, param)
    }
}
