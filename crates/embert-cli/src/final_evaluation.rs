//! Evaluates the final model of a run and shows some predictions.

use embert_data::Dataset;
use embert_inference::{Batching, predict, predicted_label, probabilities};
use embert_text::{Limit, Tokenizer};
use embert_train::{Evaluation, Fitted, LabelledTexts, LogEntry, MetricOptions, evaluate};

use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::progress::Bar;
use crate::report;

/// The number of predictions to show.
const NUM_SAMPLES: usize = 10;

/// Returns the last evaluation of training. Evaluates again if that one was not of the final weights.
pub(crate) fn final_evaluation(
    fitted: &Fitted,
    eval: LabelledTexts<'_>,
    batching: Batching,
    pos_label: Option<usize>,
    interrupt: &Interrupt,
) -> Result<Evaluation, CliError> {
    let last = fitted.report.log_history.iter().rev().find_map(|entry| match entry {
        LogEntry::Evaluation { step, evaluation, .. } if *step == fitted.model_step => Some(evaluation),
        _ => None,
    });
    if let Some(evaluation) = last.filter(|evaluation| evaluation.metrics.is_complete()) {
        return Ok(evaluation.clone());
    }
    let bar = Bar::items("Evaluating", eval.texts.len());
    let options = MetricOptions { pos_label, thresholds: None };
    Ok(evaluate(&fitted.model, eval, batching, options, &mut |progress| {
        bar.set(progress.done as u64);
        Ok(interrupt.flow())
    })?)
}

/// Returns a table of predictions. Selects texts at equal intervals, because rows may be sorted by label.
pub(crate) fn sample_predictions(
    fitted: &Fitted,
    eval: &Dataset,
    tokenizer: &Tokenizer,
    limit: Limit,
    batching: Batching,
    interrupt: &Interrupt,
) -> Result<String, CliError> {
    let (eval, labels) = (&eval.examples, eval.labels.names());
    let num_shown = eval.len().min(NUM_SAMPLES);
    let shown = (0..num_shown).map(|n| &eval[n * eval.len() / num_shown]).collect::<Vec<_>>();
    let texts = shown.iter().map(|example| example.text.as_str()).collect::<Vec<_>>();
    let texts = tokenizer.encode_all(&texts, limit, &|_| {});
    let logits = predict(&fitted.model, &texts, batching, &mut |_| Ok::<_, CliError>(interrupt.flow()))?;
    let samples = shown.iter().zip(&logits).map(|(example, logits)| {
        let predicted = predicted_label(logits);
        report::Sample {
            text: &example.text,
            gold: &labels[example.label],
            predicted: &labels[predicted],
            score: probabilities(logits)[predicted],
        }
    });
    Ok(report::samples(&samples.collect::<Vec<_>>()))
}
