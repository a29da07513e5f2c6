//! The answer of a caller that hears an event.

use std::ops::ControlFlow;

use crate::error::TrainError;

/// Go on (`Continue`), stop in good order (`Break`), or fail.
pub type Answer = Result<ControlFlow<()>, TrainError>;
