//! The input of a resumed run.

use crate::model::Model;
use crate::optimizer_state::OptimizerState;
use crate::state::TrainState;

/// The state of a stopped run, except its model. [`Checkpoint::resume`](crate::Checkpoint::resume) reads it.
#[derive(Debug)]
pub struct ResumeState {
    /// Counters and log.
    pub state: TrainState,
    /// The state of AdamW, on the model's device.
    pub optimizer: OptimizerState,
    /// With `load_best_model_at_end`, the model of the best evaluation, without autodiff.
    pub best_model: Option<Model>,
}
