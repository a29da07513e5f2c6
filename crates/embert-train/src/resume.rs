//! The state from which a run resumes.

use crate::model::Model;
use crate::optimizer::OptimizerState;
use crate::state::TrainState;

/// All of a stopped run except its model; [`Checkpoint::resume`](crate::Checkpoint::resume) reads it.
#[derive(Debug)]
pub struct Resume {
    /// Its counters and log.
    pub state: TrainState,
    /// The state of AdamW, on the model's device.
    pub optimizer: OptimizerState,
    /// The model of its best evaluation, without autodiff, where `load_best_model_at_end` asks for it.
    pub best_model: Option<Model>,
}
