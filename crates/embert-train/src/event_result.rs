//! The result of an event callback.

use std::ops::ControlFlow;

use crate::error::TrainError;

/// The decision of an event callback: continue (`Continue`), stop after the current step with a checkpoint (`Break`),
/// or fail (`Err`).
pub type EventResult = Result<ControlFlow<()>, TrainError>;
