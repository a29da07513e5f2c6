//! The error of a command: a line of text and an exit code.

use embert_data::DataError;
use embert_hub::HubError;
use embert_inference::InferenceError;
use embert_model::ModelError;
use embert_text::TextError;
use embert_train::TrainError;

use crate::hints;
use crate::visible::visible;

/// Exit code if a run does not fit into memory, or if an allocation fails.
pub(crate) const OUT_OF_MEMORY: u8 = 5;

/// An error that ends a command. It is printed after `error: `.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) message: String,
    /// 1 failure, 2 wrong usage or recipe, 3 wrong data, 4 diverged, 5 out of memory (the allocator of `main` exits
    /// directly), 130 and 143 interrupted.
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

    /// Returns the error of an output. A failed disk is a failure; a value that the format does not have is wrong data.
    pub(crate) fn unwritten(error: DataError) -> Self {
        match error {
            DataError::Io { .. } => Self::failed(error),
            _ => error.into(),
        }
    }

    pub(crate) fn interrupted(message: impl ToString, signal: usize) -> Self {
        Self { message: message.to_string(), code: 128 + signal as u8 }
    }
}

/// Maximum number of characters of a message. Longer messages come from damaged input.
const LONGEST: usize = 2000;

impl CliError {
    /// Returns the message as one line of limited length, with control characters escaped.
    pub(crate) fn line(&self) -> String {
        let lines = self.message.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = lines.collect::<Vec<_>>().join("; ");
        let mut shown = visible(&line.chars().take(LONGEST).collect::<String>());
        if line.chars().nth(LONGEST).is_some() {
            shown.push('…');
        }
        shown
    }
}

impl From<DataError> for CliError {
    fn from(error: DataError) -> Self {
        Self::rejected(hints::of_data(&error))
    }
}

impl From<HubError> for CliError {
    fn from(error: HubError) -> Self {
        Self::failed(hints::of_hub(&error))
    }
}

impl From<ModelError> for CliError {
    fn from(error: ModelError) -> Self {
        Self::failed(hints::of_model(&error))
    }
}

impl From<TextError> for CliError {
    fn from(error: TextError) -> Self {
        match error {
            TextError::VocabSizeTooSmall { .. }
            | TextError::MaxLengthTooLarge { .. }
            | TextError::MaxLengthTooSmall { .. }
            | TextError::MaxLengthTooSmallForPairs { .. }
            | TextError::HeadTailTooLong { .. }
            | TextError::HeadTailOfPairs { .. }
            | TextError::PairTooLong { .. }
            | TextError::UnknownTruncationStrategy { .. } => Self::usage(error),
            _ => Self::failed(error),
        }
    }
}

impl From<InferenceError> for CliError {
    fn from(error: InferenceError) -> Self {
        match error {
            InferenceError::Model(error) => error.into(),
            InferenceError::Text(error) => error.into(),
            _ => Self::failed(error),
        }
    }
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        let code = match error {
            TrainError::Text(error) => return error.into(),
            TrainError::Model(error) => return error.into(),
            TrainError::Inference(error) => return error.into(),
            TrainError::Config(_)
            | TrainError::NoFullBatch { .. }
            | TrainError::ClassWeights { .. }
            | TrainError::UnknownLabelName { .. }
            | TrainError::UnknownMetric { .. }
            | TrainError::Thresholds { .. }
            | TrainError::UnknownPattern { .. }
            | TrainError::NothingToTrain
            | TrainError::OutputExists { .. }
            | TrainError::Unfinished { .. }
            | TrainError::Unrenamed { .. }
            | TrainError::NotEmpty { .. }
            | TrainError::NotARun { .. }
            | TrainError::Foreign { .. }
            | TrainError::AlreadyDone { .. }
            | TrainError::UnknownPosLabel { .. }
            | TrainError::Busy { .. }
            | TrainError::OtherData
            | TrainError::OtherWeights => 2,
            TrainError::NoExamples
            | TrainError::UnknownLabel { .. }
            | TrainError::TargetLength { .. }
            | TrainError::TargetNotFinite { .. }
            | TrainError::OtherTargets { .. }
            | TrainError::NothingToBalance { .. } => 3,
            TrainError::Diverged { .. } | TrainError::DivergedWeights { .. } => 4,
            _ => 1,
        };
        Self { message: hints::of_train(&error), code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_documentation() {
        let path = || "a.csv".into();
        let disk = || DataError::Io { path: path(), source: std::io::ErrorKind::StorageFull.into() };
        let head_tail = TextError::HeadTailOfPairs { head: 2, tail: 2 };
        for (error, expected) in [
            (CliError::from(disk()), 3),
            (CliError::unwritten(disk()), 1),
            (CliError::unwritten(DataError::Empty { path: path() }), 3),
            (TrainError::NoFullBatch { num_examples: 20, batch_size: 65 }.into(), 2),
            (TrainError::NoExamples.into(), 3),
            (TrainError::Text(TextError::VocabSizeTooSmall { vocab_size: 5, needed: 45 }).into(), 2),
            (TextError::VocabSizeTooSmall { vocab_size: 5, needed: 45 }.into(), 2),
            (TextError::MaxLengthTooSmallForPairs { max_length: 3, needed: 4 }.into(), 2),
            (InferenceError::Text(head_tail).into(), 2),
        ] {
            assert_eq!(error.code, expected, "{}", error.message);
        }
    }

    #[test]
    fn a_message_is_one_line_without_control_characters() {
        let line = |message: &str| CliError::failed(message).line();
        assert_eq!(line("é: a\n  b\r\n\n"), "é: a; b");
        assert_eq!(line("\u{1b}[31m\0\u{202e}"), "\\u{1b}[31m\\u{0}\\u{202e}");
        assert_eq!(line(&"x".repeat(9999)).chars().count(), LONGEST + 1);
    }
}
