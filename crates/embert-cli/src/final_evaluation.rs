//! Evaluates the final model of a run, fits thresholds, and shows some predictions.

use std::ops::ControlFlow;

use embert_data::Dataset;
use embert_inference::{Batching, Prediction, predict};
use embert_text::{EncodedTexts, Limit, Tokenizer};
use embert_train::{
    Evaluation, Fitted, LabelledTexts, LogEntry, MetricOptions, Metrics, Targets, evaluate_logits,
    fit_thresholds,
};

use crate::encoded_examples::{Texts, encode, texts};
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::metric_choice::MetricChoice;
use crate::problem_type;
use crate::progress::Bar;
use crate::scored_rows::ScoredRows;

/// The number of predictions to show.
const NUM_SAMPLES: usize = 10;

/// Evaluates the final model of a run.
pub(crate) struct FinalModel<'a> {
    pub(crate) fitted: &'a Fitted,
    pub(crate) tokenizer: &'a Tokenizer,
    pub(crate) limit: Limit,
    pub(crate) batching: Batching,
    pub(crate) interrupt: &'a Interrupt,
}

impl FinalModel<'_> {
    /// Returns the last evaluation of training. Evaluates again if that one was not of the final weights.
    pub(crate) fn evaluate(
        &self,
        eval: LabelledTexts<'_>,
        metrics: &MetricChoice,
    ) -> Result<Evaluation, CliError> {
        let last = self.fitted.report.log_history.iter().rev().find_map(|entry| match entry {
            LogEntry::Evaluation { step, evaluation, .. } if *step == self.fitted.model_step => {
                Some(evaluation)
            }
            _ => None,
        });
        // The log of a resumed run has no details.
        match last.filter(|evaluation| evaluation.metrics.is_complete()) {
            Some(evaluation) => Ok(evaluation.clone()),
            None => self.evaluate_again(eval, metrics),
        }
    }

    /// Evaluates the final weights.
    pub(crate) fn evaluate_again(
        &self,
        eval: LabelledTexts<'_>,
        metrics: &MetricChoice,
    ) -> Result<Evaluation, CliError> {
        Ok(self.evaluate_logits(eval, metrics)?.0)
    }

    /// Evaluates with the thresholds that maximize the F1 of each label. Returns the thresholds, too.
    pub(crate) fn evaluate_with_fitted_thresholds(
        &self,
        eval: LabelledTexts<'_>,
    ) -> Result<(Evaluation, Vec<f32>), CliError> {
        let (evaluation, logits) = self.evaluate_logits(eval, &MetricChoice::default())?;
        let Targets::MultiHot(targets) = eval.targets else {
            unreachable!("the recipe is checked before training");
        };
        let thresholds = fit_thresholds(&logits, targets);
        let options = MetricOptions { thresholds: Some(&thresholds), ..MetricOptions::default() };
        let metrics = Metrics::new(&logits, eval.targets, options);
        Ok((Evaluation { metrics, ..evaluation }, thresholds))
    }

    fn evaluate_logits(
        &self,
        eval: LabelledTexts<'_>,
        metrics: &MetricChoice,
    ) -> Result<(Evaluation, Vec<Vec<f32>>), CliError> {
        let bar = Bar::items("Evaluating", eval.texts.len());
        let model = &self.fitted.model;
        Ok(evaluate_logits(model, eval, self.batching, metrics.options(), &mut |progress| {
            bar.set(progress.done as u64);
            Ok(self.interrupt.flow())
        })?)
    }

    /// Returns a table of predictions. Selects rows at equal intervals, because they may be sorted by label.
    pub(crate) fn sample_predictions(
        &self,
        eval: &Dataset,
        thresholds: Option<&[f32]>,
    ) -> Result<String, CliError> {
        let num_shown = eval.len().min(NUM_SAMPLES);
        let rows = (0..num_shown).map(|n| n * eval.len() / num_shown).collect::<Vec<_>>();
        let shown = eval.select(&rows);
        let logits = self.logits(&self.encode(&shown)?)?;
        let (labels, problem_type) = (shown.labels.names(), problem_type::of_data(shown.problem_type));
        let predictions =
            logits.iter().map(|logits| Prediction::new(logits, labels, problem_type, thresholds));
        Ok(ScoredRows::new(&shown, predictions.collect()).table())
    }

    fn encode(&self, rows: &Dataset) -> Result<EncodedTexts, CliError> {
        let (texts, pairs) = texts(rows);
        encode(self.tokenizer, Texts { texts: &texts, pairs: pairs.as_deref() }, self.limit)
    }

    fn logits(&self, texts: &EncodedTexts) -> Result<Vec<Vec<f32>>, CliError> {
        predict(&self.fitted.model, texts, self.batching, &mut |_| {
            Ok::<ControlFlow<()>, CliError>(self.interrupt.flow())
        })
    }
}
