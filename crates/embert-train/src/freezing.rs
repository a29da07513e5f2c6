//! `freeze` and `gradual_unfreezing` (Howard and Ruder, 2018): the trainable parameters of each epoch.

use std::collections::BTreeSet;

use embert_model::{ModelPart, Parameter, parameters, set_trainable};

use crate::error::TrainError;
use crate::model::Model;
use crate::pattern::matches;
use crate::unfreezing::Unfreezing;

/// The trainable parameters of each epoch.
#[derive(Debug)]
pub(crate) struct Freezing<'a> {
    freeze: &'a [String],
    gradual: &'a [Unfreezing],
    /// The names of the parameters that were trainable before the run.
    trainable: BTreeSet<String>,
}

impl<'a> Freezing<'a> {
    /// Fails if a pattern matches no parameter, or no parameter trains in the first epoch.
    pub(crate) fn new(
        freeze: &'a [String],
        gradual: &'a [Unfreezing],
        model: &Model,
    ) -> Result<Self, TrainError> {
        let parameters = parameters(model);
        let frozen = freeze.iter().map(|pattern| ("freeze", pattern));
        let unfrozen = gradual.iter().map(|entry| ("gradual_unfreezing", &entry.pattern));
        for (key, pattern) in frozen.chain(unfrozen) {
            if !parameters.iter().any(|parameter| matches(pattern, &parameter.name)) {
                let (pattern, modules) = (pattern.clone(), modules(&parameters));
                return Err(TrainError::UnknownPattern { key, pattern, modules });
            }
        }
        let trainable = parameters.into_iter().filter(|parameter| parameter.is_trainable);
        let trainable = trainable.map(|parameter| parameter.name).collect();
        let freezing = Self { freeze, gradual, trainable };
        let trains_something = freezing.trainable.iter().any(|name| freezing.trains(name, 0));
        if trains_something { Ok(freezing) } else { Err(TrainError::NothingToTrain) }
    }

    /// Returns true if this epoch unfreezes parameters.
    pub(crate) fn changes_at(&self, epoch: u64) -> bool {
        epoch == 0 || self.gradual.iter().any(|entry| entry.epoch == epoch)
    }

    /// Makes exactly the parameters of this epoch trainable.
    pub(crate) fn apply(&self, model: Model, epoch: u64) -> Model {
        set_trainable(model, &|name| self.trains(name, epoch))
    }

    /// Returns true if a parameter trains in this epoch.
    ///
    /// The lowest epoch of its patterns in `gradual_unfreezing` decides. Without such a pattern, `freeze` decides.
    pub(crate) fn trains(&self, name: &str, epoch: u64) -> bool {
        let entries = self.gradual.iter().filter(|entry| matches(&entry.pattern, name));
        let is_unfrozen = match entries.map(|entry| entry.epoch).min() {
            Some(first) => first <= epoch,
            None => !self.freeze.iter().any(|pattern| matches(pattern, name)),
        };
        is_unfrozen && self.trainable.contains(name)
    }
}

/// Returns the number of trainable values.
pub(crate) fn num_trainable(model: &Model) -> usize {
    let trainable = parameters(model).into_iter().filter(|parameter| parameter.is_trainable);
    trainable.map(|parameter| parameter.num_elements()).sum()
}

/// Returns the modules that have parameters. An encoder layer counts as one module.
fn modules(parameters: &[Parameter]) -> Vec<String> {
    let mut modules = parameters.iter().map(module).collect::<Vec<_>>();
    modules.dedup();
    modules
}

fn module(Parameter { name, part, .. }: &Parameter) -> String {
    let end = match part {
        ModelPart::Layer(number) => {
            let number = format!(".{number}");
            name.find(&format!("{number}.")).map(|start| start + number.len())
        }
        ModelPart::Embeddings | ModelPart::Head => name.rfind('.'),
    };
    name[..end.unwrap_or(name.len())].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn freezing<'a>(freeze: &'a [String], gradual: &'a [Unfreezing]) -> Freezing<'a> {
        let trainable = ["a.layer.0.bias", "a.layer.1.bias", "a.embeddings.weight", "classifier.bias"];
        Freezing { freeze, gradual, trainable: trainable.map(str::to_owned).into() }
    }

    /// Returns the short names of the parameters that train in an epoch.
    fn trained(freezing: &Freezing<'_>, epoch: u64) -> String {
        let names = [("e", "a.embeddings.weight"), ("0", "a.layer.0.bias"), ("1", "a.layer.1.bias")];
        let names = names.into_iter().chain([("c", "classifier.bias"), ("?", "never.trained")]);
        names.filter(|(_, name)| freezing.trains(name, epoch)).map(|(short, _)| short).collect()
    }

    #[test]
    fn layers_train_from_their_epoch_on() {
        let gradual = ["1:a.layer.1", "3:a.layer.0"].map(|text| text.parse().unwrap());
        let freeze = ["a".to_owned()];
        let plan = freezing(&freeze, &gradual);
        assert_eq!([0, 1, 2, 3].map(|epoch| trained(&plan, epoch)), ["c", "1c", "1c", "01c"]);
        assert_eq!([0, 1, 2, 3].map(|epoch| plan.changes_at(epoch)), [true, true, false, true]);
        let plan = freezing(&[], &gradual);
        assert_eq!([0, 3].map(|epoch| trained(&plan, epoch)), ["ec", "e01c"]);
    }

    #[test]
    fn the_lower_of_two_epochs_counts() {
        let gradual = ["1:a.layer.1", "2:a"].map(|text| text.parse().unwrap());
        let plan = freezing(&[], &gradual);
        assert_eq!([0, 1, 2].map(|epoch| trained(&plan, epoch)), ["c", "1c", "e01c"]);
    }

    #[test]
    fn an_entry_survives_a_round_trip() {
        let entry: Unfreezing = serde_json::from_str("\" 2: bert.embeddings\"").unwrap();
        assert_eq!((entry.epoch, entry.to_string().as_str()), (2, "2:bert.embeddings"));
        let error = serde_json::from_str::<Unfreezing>("\"bert\"").unwrap_err().to_string();
        assert_eq!(error, "\"bert\" must be EPOCH:PATTERN, such as \"1:bert.embeddings\"");
    }
}
