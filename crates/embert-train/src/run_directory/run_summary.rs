//! What a model card says of a run.

use embert_model::AutoConfig;
use embert_text::Truncation;

use crate::evaluate::Evaluation;
use crate::event::TrainReport;

/// The run that a card describes.
#[derive(Debug)]
pub(crate) struct RunSummary<'a> {
    pub(crate) report: &'a TrainReport,
    pub(crate) evaluation: Option<&'a Evaluation>,
    /// The labels, the task and the thresholds.
    pub(crate) config: &'a AutoConfig,
    pub(crate) recipe: &'a str,
    pub(crate) truncation: Truncation,
    pub(crate) is_adapter: bool,
}
