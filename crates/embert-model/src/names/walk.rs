//! A walk over the parameters of a module, each by its dotted path: `bert.pooler.dense.weight`.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// What is done at each parameter.
pub trait ParameterVisitor {
    /// Stands at the parameter with this path.
    fn visit<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>);
}

/// What becomes of each parameter.
pub trait ParameterMapper {
    /// Gives what shall stand at this path.
    fn map<const D: usize>(&mut self, path: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>>;
}

/// Shows a visitor all parameters, from the input up.
pub fn visit_parameters<M: Module>(module: &M, visitor: &mut impl ParameterVisitor) {
    module.visit(&mut Walk { levels: vec![], each: visitor });
}

/// The module with all parameters as a mapper makes them.
pub fn map_parameters<M: Module>(module: M, mapper: &mut impl ParameterMapper) -> M {
    module.map(&mut Walk { levels: vec![], each: mapper })
}

struct Walk<'a, T> {
    levels: Vec<String>,
    each: &'a mut T,
}

impl<T> Walk<'_, T> {
    /// Burn also enters the variant of an enum, in upper case. It is no part of the path, so a model has the same paths
    /// alone and as one of several that it could be.
    fn path(&self) -> String {
        let fields = self.levels.iter().filter(|name| !name.starts_with(char::is_uppercase));
        fields.map(String::as_str).collect::<Vec<_>>().join(".")
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
        self.each.visit(&self.path(), param);
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
        let path = self.path();
        self.each.map(&path, param)
    }
}
