//! What a run that was stopped is taken up with.

use crate::model::Model;
use crate::optimizer::OptimizerState;
use crate::state::TrainState;

/// All of a stopped run but its model; [`Checkpoint::resume`](crate::Checkpoint::resume) reads it.
#[derive(Debug)]
pub struct Resume {
    /// Where it stood.
    pub state: TrainState,
    /// What AdamW remembered, on the model's device.
    pub optimizer: OptimizerState,
    /// The model of its best evaluation, without autodiff, where `load_best_model_at_end` asks for it.
    pub best_model: Option<Model>,
}
