//! Traversal of the parameters of a model, with their names.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Shape, Tensor};

use crate::architectures::names::is_word_embeddings;
use crate::architectures::{Architecture, ModelPart};
use crate::lora::names::is_magnitude;

/// A model of a supported family.
pub trait PreTrainedModel: Module {
    /// Returns the family.
    fn architecture(&self) -> &'static Architecture;
}

/// Description of a parameter, without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name in transformers; for a LoRA adapter, the name in PEFT.
    pub name: String,
    /// The module path, which is the key of gradients, optimizer state and initial values.
    /// Prefix, list of layers and head have the names of the family.
    pub path: String,
    /// The part of the model that contains the parameter.
    pub part: ModelPart,
    /// The shape; `[in, out]` for the weight of a linear layer.
    pub shape: Vec<usize>,
    /// True if the parameter requires a gradient; always false without autodiff.
    pub is_trainable: bool,
}

impl Parameter {
    fn new<const D: usize>(path: String, param: &Param<Tensor<D>>, architecture: &Architecture) -> Self {
        let name = architecture.name(&path);
        let part = architecture.part_of(&name).expect("a family knows the names of its own parameters");
        // `val` would allocate a parameter that has no values yet.
        let is_trainable = param.is_initialized() && param.val().is_require_grad();
        Self { name, path, part, shape: param.lazy_shape().to_vec(), is_trainable }
    }

    /// Returns true if the Trainer of transformers applies weight decay: not to norms, and not to biases, which include
    /// MPNet's table of relative position biases.
    pub fn has_weight_decay(&self) -> bool {
        (self.shape.len() > 1 && !self.name.contains("bias")) || is_magnitude(&self.name)
    }

    /// Returns true for the table of word embeddings.
    pub fn is_word_embeddings(&self) -> bool {
        is_word_embeddings(&self.path)
    }

    /// Returns the number of elements.
    pub fn num_elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A visitor of parameters, for [`visit_parameters`].
pub trait ParameterVisitor {
    /// Visits one parameter.
    fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>);
}

/// A transformation of parameters, for [`map_parameters`].
pub trait ParameterMapper {
    /// Returns the new parameter.
    fn map<const D: usize>(&mut self, parameter: Parameter, param: Param<Tensor<D>>) -> Param<Tensor<D>>;
}

/// Visits all parameters, from the input to the head.
pub fn visit_parameters<M: PreTrainedModel>(model: &M, visitor: &mut impl ParameterVisitor) {
    model.visit(&mut Traversal { levels: vec![], architecture: model.architecture(), each: visitor });
}

/// Replaces each parameter of the model by the result of the mapper.
pub fn map_parameters<M: PreTrainedModel>(model: M, mapper: &mut impl ParameterMapper) -> M {
    let architecture = model.architecture();
    model.map(&mut Traversal { levels: vec![], architecture, each: mapper })
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

/// Makes a parameter trainable if `trainable` returns true for its Hugging Face name, and freezes all others.
///
/// Frozen parameters get no gradient, no optimizer state and no weight decay. Dropout is not affected.
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

/// Returns a parameter of zeros. Memory is allocated when its value is first read.
pub(crate) fn zeros<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    let make =
        move |device: &Device, is_trainable| Tensor::zeros(shape, device).set_require_grad(is_trainable);
    Param::uninitialized(ParamId::new(), make, device.clone(), true, Shape::new(shape))
}

struct Traversal<'a, T> {
    levels: Vec<String>,
    architecture: &'static Architecture,
    each: &'a mut T,
}

impl<T> Traversal<'_, T> {
    /// Enters a module. The variant of an enum, such as a kind of layer, is not a part of the path.
    fn enter(&mut self, name: &str, container_type: &str) {
        if !is_enum(container_type) {
            self.levels.push(name.to_string());
        }
    }

    fn exit(&mut self, container_type: &str) {
        if !is_enum(container_type) {
            self.levels.pop();
        }
    }

    fn parameter<const D: usize>(&self, param: &Param<Tensor<D>>) -> Parameter {
        Parameter::new(self.architecture.path(&self.levels.join(".")), param, self.architecture)
    }
}

/// Returns true if Burn visits the variant of an enum.
fn is_enum(container_type: &str) -> bool {
    container_type.starts_with("Enum:")
}

impl<T: ParameterVisitor> ModuleVisitor for Traversal<'_, T> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        self.exit(container_type);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.each.visit(self.parameter(param), param);
    }
}

impl<T: ParameterMapper> ModuleMapper for Traversal<'_, T> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        self.exit(container_type);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let parameter = self.parameter(&param);
        self.each.map(parameter, param)
    }
}
