//! Where a walk through a module stands, as a dotted path.

use std::fmt;

/// The path of the parameter that a `ModuleVisitor` or `ModuleMapper` stands at: call `enter` and `exit` from
/// `enter_module` and `exit_module`.
///
/// Burn also enters the variant of an enum. It is no part of the path, so a model has the same paths alone and as one of
/// several that it could be.
#[derive(Debug, Default, Clone)]
pub struct PathStack(Vec<String>);

impl PathStack {
    /// One level down.
    pub fn enter(&mut self, name: &str) {
        self.0.push(name.to_string());
    }

    /// One level up.
    pub fn exit(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for PathStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_field = |name: &&String| !name.starts_with(char::is_uppercase); // variants are in upper case
        f.write_str(&self.0.iter().filter(is_field).map(String::as_str).collect::<Vec<_>>().join("."))
    }
}
