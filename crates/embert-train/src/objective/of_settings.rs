//! The objective of a run, selected by its settings and the kind of its targets.

use super::{MultiLabel, Objective, Regression, SingleLabel};
use crate::class_weights::ClassWeights;
use crate::config::TrainConfig;
use crate::config_error::ConfigError;
use crate::error::TrainError;
use crate::evaluate::only_for;
use crate::loss::Loss;
use crate::targets::Targets;

impl TrainConfig {
    /// Returns the objective for these training targets. `num_labels` is the number of logits of the model.
    ///
    /// # Errors
    /// [`TrainError::Config`] for a setting that the targets do not have; [`TrainError::ClassWeights`],
    /// [`TrainError::UnresolvedNames`] and [`TrainError::NothingToBalance`] for weights.
    pub fn objective(&self, targets: &Targets, num_labels: usize) -> Result<Objective, TrainError> {
        self.check_loss_of(targets)?;
        let focal_gamma = (self.loss == Loss::Focal).then_some(self.focal_gamma);
        Ok(match targets {
            Targets::Labels(labels) => Objective::SingleLabel(SingleLabel {
                label_smoothing: self.label_smoothing_factor,
                class_weights: self.class_weights.of_labels(labels, num_labels)?,
                focal_gamma,
            }),
            Targets::MultiHot(targets) => Objective::MultiLabel(MultiLabel {
                pos_weight: self.pos_weight.of_positives(targets, num_labels)?,
                focal_gamma,
            }),
            Targets::Values(_) => Objective::Regression(Regression { num_targets: num_labels }),
        })
    }

    /// Fails for a setting of the loss that these targets do not have.
    fn check_loss_of(&self, targets: &Targets) -> Result<(), ConfigError> {
        let is_single = matches!(targets, Targets::Labels(_));
        let is_multi = matches!(targets, Targets::MultiHot(_));
        let rules = [
            (
                !is_single && self.label_smoothing_factor > 0.0,
                only_for(
                    "label_smoothing_factor",
                    self.label_smoothing_factor,
                    "0, except in single-label classification",
                ),
            ),
            (
                !is_single && self.class_weights != ClassWeights::None,
                only_for(
                    "class_weights",
                    self.class_weights.to_text(),
                    "\"none\", except in single-label classification",
                ),
            ),
            (
                !is_multi && self.pos_weight != ClassWeights::None,
                only_for(
                    "pos_weight",
                    self.pos_weight.to_text(),
                    "\"none\", except in multi-label classification",
                ),
            ),
            (
                !is_single && !is_multi && self.loss == Loss::Focal,
                only_for("loss", "focal", "left out in regression, whose loss is the mean squared error"),
            ),
        ];
        rules.into_iter().find(|(is_broken, _)| *is_broken).map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Replaces the label names in `class_weights` and `pos_weight` by lists. `names` are the label names by id. Call it
    /// before [`fit`](crate::fit), which does not know the names.
    ///
    /// # Errors
    /// [`TrainError::UnknownLabelName`].
    pub fn resolve_label_names(&self, names: &[String]) -> Result<Self, TrainError> {
        Ok(Self {
            class_weights: self.class_weights.resolve_as("class_weights", names)?,
            pos_weight: self.pos_weight.resolve_as("pos_weight", names)?,
            ..self.clone()
        })
    }
}
