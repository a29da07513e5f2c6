//! The result of an event callback.

use std::ops::ControlFlow;

use crate::error::TrainError;

/// Tells the run to continue (`Continue`), to stop after the current step with a checkpoint (`Break`), or to fail (`Err`).
pub type EventResult = Result<ControlFlow<()>, TrainError>;
