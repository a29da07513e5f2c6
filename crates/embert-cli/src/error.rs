//! One line for a person, and the exit code that goes with it.

use embert_data::{DataError, HubError};
use embert_model::ModelError;
use embert_text::TextError;
use embert_train::TrainError;

/// Why a command ended, as it is told: the message follows `error: `.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) message: String,
    /// 1 failed, 2 usage or recipe, 3 data rejected, 4 diverged, 130 and 143 interrupted.
    pub(crate) code: u8,
}

impl CliError {
    pub(crate) fn failed(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 1 }
    }

    pub(crate) fn usage(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 2 }
    }

    pub(crate) fn rejected(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 3 }
    }

    pub(crate) fn interrupted(message: impl ToString, signal: usize) -> Self {
        Self { message: message.to_string(), code: 128 + signal as u8 }
    }
}

impl From<DataError> for CliError {
    fn from(error: DataError) -> Self {
        Self::rejected(error)
    }
}

impl From<HubError> for CliError {
    fn from(error: HubError) -> Self {
        Self::failed(error)
    }
}

impl From<ModelError> for CliError {
    fn from(error: ModelError) -> Self {
        Self::failed(error)
    }
}

impl From<TextError> for CliError {
    fn from(error: TextError) -> Self {
        match error {
            TextError::MaxLengthTooLarge { .. }
            | TextError::MaxLengthTooSmall { .. }
            | TextError::HeadTailTooLong { .. } => Self::usage(error),
            _ => Self::failed(error),
        }
    }
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        let code = match error {
            TrainError::Config(_)
            | TrainError::ClassWeights { .. }
            | TrainError::UnknownPattern { .. }
            | TrainError::NothingToTrain
            | TrainError::OutputExists { .. }
            | TrainError::Busy { .. } => 2,
            TrainError::NoExamples
            | TrainError::UnknownLabel { .. }
            | TrainError::NothingToBalance { .. } => 3,
            TrainError::OtherData => 2,
            TrainError::Diverged { .. } | TrainError::DivergedWeights { .. } => 4,
            _ => 1,
        };
        Self { message: error.to_string(), code }
    }
}
