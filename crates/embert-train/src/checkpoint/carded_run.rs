//! The run that a model card describes.

use embert_text::Truncation;

use crate::evaluate::Evaluation;
use crate::event::TrainReport;

/// The run that a card describes.
#[derive(Debug)]
pub(crate) struct CardedRun<'a> {
    pub(crate) report: &'a TrainReport,
    pub(crate) evaluation: Option<&'a Evaluation>,
    pub(crate) labels: &'a [String],
    pub(crate) recipe: &'a str,
    pub(crate) truncation: Truncation,
    pub(crate) is_adapter: bool,
}
