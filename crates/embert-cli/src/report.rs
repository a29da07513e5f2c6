//! What a person is shown: tables of lengths, epochs, confusion and samples.

use comfy_table::{Cell, CellAlignment, Table, presets};
use embert_text::{EncodedTexts, LengthReport, PaddingWaste};
use embert_train::{BestModelMetric, Evaluation, Fitted, LogEntry, RunPlan};

use crate::visible::visible;

/// A number with commas between thousands.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

/// Bytes in MiB or GiB.
pub(crate) fn size(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    match bytes {
        GIB.. => format!("{:.1} GiB", bytes as f64 / GIB as f64),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// How long the texts are in tokens, before truncation.
pub(crate) fn lengths(texts: &EncodedTexts) -> String {
    length_table("tokens", texts.full_lengths())
}

/// How long the texts are in words.
pub(crate) fn word_lengths(texts: &[&str]) -> String {
    let lengths = texts.iter().map(|text| text.split_whitespace().count()).collect::<Vec<_>>();
    length_table("words", &lengths)
}

fn length_table(unit: &str, lengths: &[usize]) -> String {
    let Some(report) = LengthReport::new(lengths) else { return "no texts".into() };
    let mut table = plain(&[
        unit, "min", "p25", "p50", "p75", "p90", "p95", "p99", "max", "mean", ">128", ">256", ">512",
    ]);
    let quantiles = [report.p25, report.p50, report.p75, report.p90, report.p95, report.p99];
    let mut row = vec![grouped(report.total), report.min.to_string()];
    row.extend(quantiles.map(|quantile| format!("{quantile:.0}")));
    row.extend([report.max.to_string(), format!("{:.1}", report.mean)]);
    row.extend([report.cut_at_128, report.cut_at_256, report.cut_at_512].map(percent));
    add(&mut table, row);
    table.to_string()
}

/// What padding would have wasted.
pub(crate) fn padding(texts: &EncodedTexts, batch_size: usize, seed: u64) -> String {
    let max_length = texts.limit().max_length();
    let waste = PaddingWaste::new(&texts.lengths(), max_length, batch_size, seed);
    format!(
        "{} tokens after truncation; padding to {max_length} would add {} to them, to the longest of each batch {}",
        grouped(texts.num_tokens()),
        percent(share_to_surplus(waste.max_length)),
        percent(share_to_surplus(waste.random)),
    )
}

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

/// A line of the log, as a person reads it, under transformers' names.
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
        LogEntry::Evaluation { step, epoch, evaluation } => format!(
            "step {step}, epoch {epoch:.2}: eval_loss {:.4}, eval_accuracy {:.4}, eval_f1 {:.4}, {:.1} s",
            evaluation.metrics.loss,
            evaluation.metrics.accuracy,
            evaluation.metrics.f1,
            evaluation.eval_runtime,
        ),
    }
}

/// One row for each evaluation, with the mean training loss before it; nothing where there was none.
pub(crate) fn epochs(log: &[LogEntry]) -> Option<String> {
    log.iter().find(|entry| matches!(entry, LogEntry::Evaluation { .. }))?;
    let mut table =
        plain(&["epoch", "step", "train loss", "eval loss", "accuracy", "F1", "precision", "recall"]);
    let mut losses = vec![];
    for entry in log {
        match entry {
            LogEntry::Train(line) => losses.push(line.loss),
            LogEntry::Evaluation { step, epoch, evaluation } => {
                let metrics = &evaluation.metrics;
                let figures = [metrics.loss, metrics.accuracy, metrics.f1, metrics.precision, metrics.recall];
                let mut row = vec![format!("{epoch:.2}"), step.to_string(), mean(&losses)];
                row.extend(figures.map(|figure| format!("{figure:.4}")));
                add(&mut table, row);
                losses.clear();
            }
        }
    }
    Some(table.to_string())
}

/// Which weights a run ended with, and why it ended, where a metric was watched.
pub(crate) fn best_model(fitted: &Fitted, metric: BestModelMetric) -> Vec<String> {
    let Fitted { report, model_step, .. } = fitted;
    let Some(best) = report.best else { return vec![] };
    let mut lines = vec![];
    if report.stopped_early {
        lines.push(format!(
            "stopped early after step {} of {}: nothing better than {metric} {:.4} of step {}",
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

/// More classes than this fit no terminal.
const WIDEST: usize = 30;

/// The confusion matrix: gold labels down, predictions across. That of many labels no terminal is wide enough for.
pub(crate) fn confusion(evaluation: &Evaluation, names: &[String]) -> String {
    if names.len() > WIDEST {
        return format!("the confusion matrix of {} labels is too wide to show", grouped(names.len()));
    }
    let mut table = plain(&[]);
    table.set_header(
        std::iter::once("gold \\ predicted".to_owned()).chain(names.iter().map(|name| visible(name))),
    );
    for (name, counts) in names.iter().zip(&evaluation.metrics.confusion_matrix) {
        let counts = counts.iter().map(|&count| grouped(count as usize));
        add(&mut table, std::iter::once(visible(name)).chain(counts).collect());
    }
    table.to_string()
}

/// All figures of an evaluation: one line, a table by class, and the confusion matrix.
pub(crate) fn evaluation(evaluation: &Evaluation, names: &[String], pos_label: Option<usize>) -> String {
    let parts =
        [figures(evaluation, names, pos_label), classes(evaluation, names), confusion(evaluation, names)];
    parts.join("\n")
}

/// Precision, recall, F1 and support by class, and their weighted mean.
fn classes(evaluation: &Evaluation, names: &[String]) -> String {
    if names.len() > WIDEST {
        return format!("the figures of {} classes are too many to show", grouped(names.len()));
    }
    let mut table = plain(&["class", "precision", "recall", "F1", "support"]);
    let metrics = &evaluation.metrics;
    let row = |name: String, figures: [f64; 3], support: u64| {
        let figures = figures.map(|figure| format!("{figure:.4}"));
        [name].into_iter().chain(figures).chain([grouped(support as usize)]).collect()
    };
    let classes = metrics.class_scores();
    for (name, class) in names.iter().zip(&classes) {
        add(&mut table, row(visible(name), [class.precision, class.recall, class.f1], class.support));
    }
    let weighted = [metrics.precision_weighted, metrics.recall_weighted, metrics.f1_weighted];
    let total = classes.iter().map(|class| class.support).sum();
    add(&mut table, row("weighted mean".into(), weighted, total));
    table.to_string()
}

/// One line of figures, which names the class that F1 is about.
fn figures(evaluation: &Evaluation, names: &[String], pos_label: Option<usize>) -> String {
    let metrics = &evaluation.metrics;
    let roc_auc = metrics.roc_auc.map_or("undefined".into(), |auc| format!("{auc:.4}"));
    let class = pos_label.or((names.len() == 2).then_some(1));
    let of = class.map_or("macro mean".into(), |class| visible(&names[class]));
    format!(
        "accuracy {:.4}, F1 ({of}) {:.4}, precision {:.4}, recall {:.4}, Matthews {:.4}, AUROC {roc_auc}, loss {:.4}; {:.1} texts/s",
        metrics.accuracy,
        metrics.f1,
        metrics.precision,
        metrics.recall,
        metrics.matthews_correlation,
        metrics.loss,
        evaluation.eval_samples_per_second,
    )
}

/// What there is to compute on: what `--device` takes, then what that is.
pub(crate) fn devices(rows: Vec<[String; 5]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["device", "name", "memory", "driver", "precisions"]);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| visible(&cell))));
    table.to_string()
}

/// A text that was predicted, for the table of samples.
pub(crate) struct Sample<'a> {
    pub(crate) text: &'a str,
    pub(crate) gold: &'a str,
    pub(crate) predicted: &'a str,
    pub(crate) score: f64,
}

/// A few predictions, with the beginning of each text.
pub(crate) fn samples(samples: &[Sample<'_>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(["text", "gold", "predicted", "score"]);
    for sample in samples {
        let predicted = if sample.gold == sample.predicted {
            sample.predicted.into()
        } else {
            format!("{} ✗", sample.predicted)
        };
        table.add_row([preview(sample.text), sample.gold.into(), predicted, format!("{:.3}", sample.score)]);
    }
    table.to_string()
}

/// The first 50 characters, on one line.
fn preview(text: &str) -> String {
    const SHOWN: usize = 50;
    let line = visible(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match line.char_indices().nth(SHOWN) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

/// A share of padding in all places to the surplus over the tokens.
fn share_to_surplus(share: f64) -> f64 {
    share / (1.0 - share)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn mean(values: &[f64]) -> String {
    match values.len() {
        0 => "-".into(),
        n => format!("{:.4}", values.iter().sum::<f64>() / n as f64),
    }
}

fn plain(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(header.iter().map(|name| Cell::new(name).set_alignment(CellAlignment::Right)));
    table
}

fn add(table: &mut Table, row: Vec<String>) {
    table.add_row(row.into_iter().map(|cell| Cell::new(cell).set_alignment(CellAlignment::Right)));
}

#[cfg(test)]
mod tests {
    use embert_train::StepLog;

    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1000, 109_483_778].map(grouped), ["0", "999", "1,000", "109,483,778"]);
    }

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

    #[test]
    fn previews_are_one_line_of_fifty_characters() {
        assert_eq!(preview("one\n two"), "one two");
        assert_eq!(preview("\u{1b}[31mred"), "\\u{1b}[31mred");
        let long = "ä".repeat(60);
        assert_eq!(preview(&long).chars().count(), 51);
    }
}
