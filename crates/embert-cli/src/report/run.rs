//! Lines of a training run: its plan, its log, its evaluations by epoch and its best model.

use embert_train::{BestModelMetric, Fitted, LogEntry, Metrics, RunPlan, TrainReport};

use super::{add, grouped, number, plain};

/// The lines that transformers prints before training.
pub(crate) fn plan(plan: &RunPlan) -> String {
    format!(
        "***** Running training *****\n  Num examples = {}\n  Num Epochs = {}\n  Instantaneous batch size per device = {}\n  \
         Gradient Accumulation steps = {}\n  Total optimization steps = {}\n  trainable params: {} || all params: {} || trainable%: {:.4}",
        grouped(plan.num_examples),
        plan.num_train_epochs,
        plan.per_device_train_batch_size,
        plan.gradient_accumulation_steps,
        grouped(plan.total_steps),
        grouped(plan.num_trainable_parameters),
        grouped(plan.num_parameters),
        100.0 * plan.num_trainable_parameters as f64 / plan.num_parameters as f64,
    )
}

/// Formats a log line for a terminal, with the names of transformers.
pub(crate) fn log_line(entry: &LogEntry) -> String {
    match entry {
        LogEntry::Train(log) => format!(
            "step {}, epoch {:.2}: loss {:.4}, grad_norm {:.3}, learning_rate {:.2e}, {} tokens/s",
            log.step,
            log.epoch,
            log.loss,
            log.grad_norm,
            log.learning_rate,
            grouped(log.tokens_per_second.round() as usize),
        ),
        LogEntry::Evaluation { step, epoch, evaluation } => {
            let [_, first, second, ..] = columns(&evaluation.metrics);
            let value = |name: &str| number(evaluation.metrics.value(name));
            format!(
                "step {step}, epoch {epoch:.2}: eval_loss {}, eval_{first} {}, eval_{second} {}, {:.1} s",
                value("loss"),
                value(first),
                value(second),
                evaluation.eval_runtime,
            )
        }
    }
}

/// A table with a row for each evaluation and the mean training loss before it; `None` without evaluations.
pub(crate) fn epochs(log: &[LogEntry]) -> Option<String> {
    let names = log.iter().find_map(|entry| match entry {
        LogEntry::Evaluation { evaluation, .. } => Some(columns(&evaluation.metrics)),
        LogEntry::Train(_) => None,
    })?;
    let [_, quality @ ..] = names.map(|name| if name == "f1" { "F1" } else { name });
    let mut table = plain(&[&["epoch", "step", "train loss", "eval loss"], &quality[..]].concat());
    let mut losses = vec![];
    for entry in log {
        match entry {
            LogEntry::Train(line) => losses.push(line.loss),
            LogEntry::Evaluation { step, epoch, evaluation } => {
                let mut row = vec![format!("{epoch:.2}"), step.to_string(), mean(&losses)];
                row.extend(names.map(|name| number(evaluation.metrics.value(name))));
                add(&mut table, row);
                losses.clear();
            }
        }
    }
    Some(table.to_string())
}

/// Returns the names of the metrics to show, without `eval_`.
fn columns(metrics: &Metrics) -> [&'static str; 5] {
    match metrics {
        Metrics::SingleLabel(_) => ["loss", "accuracy", "f1", "precision", "recall"],
        Metrics::MultiLabel(_) => ["loss", "f1_micro", "f1_macro", "precision_micro", "recall_micro"],
        Metrics::Regression(_) => ["loss", "pearson", "spearman", "mae", "r2"],
    }
}

/// Formats the step of the final weights, and the step of an early stop.
pub(crate) fn best_model(fitted: &Fitted, metric: BestModelMetric) -> Vec<String> {
    let Fitted { report, model_step, .. } = fitted;
    let Some(best) = report.best else { return vec![] };
    let mut lines = vec![];
    if report.stopped_early {
        lines.push(format!(
            "stopped early after step {} of {}: no evaluation was better than {metric} {:.4} of step {}",
            report.global_step, report.plan.total_steps, best.metric, best.step
        ));
    }
    if *model_step != report.global_step {
        lines.push(format!(
            "the weights are those of step {model_step}, the best: {metric} {:.4}",
            best.metric
        ));
    }
    lines
}

/// Warns if the metric that compares evaluations was undefined in all of them.
pub(crate) fn undefined_metric(report: &TrainReport, metric: BestModelMetric) -> Option<String> {
    let is_defined = |metrics: &Metrics| metrics.value(&metric.to_string()).is_some_and(f64::is_finite);
    let mut evaluations = report.log_history.iter().filter_map(|entry| match entry {
        LogEntry::Evaluation { evaluation, .. } => Some(&evaluation.metrics),
        LogEntry::Train(_) => None,
    });
    evaluations.clone().next()?;
    if evaluations.any(is_defined) {
        return None;
    }
    let (step, total_steps) = (report.global_step, report.plan.total_steps);
    let effect = if report.stopped_early {
        format!("the run stopped early after step {step} of {total_steps}, with the last weights")
    } else {
        "the weights are those of the last step".to_owned()
    };
    Some(format!(
        "{metric} was undefined in all evaluations: {effect}; choose another metric_for_best_model, or other rows to \
         evaluate on"
    ))
}

/// The time and speed of a finished run.
pub(crate) fn summary(report: &TrainReport) -> String {
    let first_step = report.train_first_step_runtime.map_or(String::new(), |seconds| {
        format!("first step {seconds:.1} s: it compiles and tunes kernels\n")
    });
    format!(
        "{first_step}{} steps in {:.1} s: {:.2} samples/s, {:.0} tokens/s, mean loss {:.4}",
        report.global_step,
        report.train_runtime,
        report.train_samples_per_second,
        report.train_tokens_per_second,
        report.train_loss,
    )
}

fn mean(values: &[f64]) -> String {
    match values.len() {
        0 => "-".into(),
        n => format!("{:.4}", values.iter().sum::<f64>() / n as f64),
    }
}

#[cfg(test)]
mod tests {
    use embert_train::StepLog;

    use super::*;

    #[test]
    fn a_line_of_the_log_has_transformers_names() {
        let log = StepLog {
            step: 1050,
            epoch: 2.8,
            loss: 0.086_94,
            grad_norm: 1.2884,
            learning_rate: 5.257e-5,
            tokens_per_second: 41_250.4,
        };
        assert_eq!(
            log_line(&LogEntry::Train(log)),
            "step 1050, epoch 2.80: loss 0.0869, grad_norm 1.288, learning_rate 5.26e-5, 41,250 tokens/s"
        );
    }
}
