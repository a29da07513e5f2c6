//! `curves.svg`: loss, two metrics and the learning rate over the epochs, in a column of panels.

use std::ops::Range;
use std::path::Path;

use embert_model::ProblemType;
use plotters::prelude::SeriesLabelPosition::{LowerRight, UpperRight};
use plotters::prelude::*;

use super::results::write as write_file;
use crate::error::TrainError;
use crate::log_entry::LogEntry;

/// Writes `curves.svg` unless the log is empty.
pub(super) fn write(directory: &Path, log: &[LogEntry]) -> Result<(), TrainError> {
    if log.is_empty() { Ok(()) } else { write_file(directory, "curves.svg", &svg(log)) }
}

const WIDTH: u32 = 900;
const PANEL_HEIGHT: u32 = 320;
const BLUE: RGBColor = RGBColor(31, 119, 180);
const ORANGE: RGBColor = RGBColor(255, 127, 14);

/// A panel: its labels, its curves and the position of its legend.
struct Panel {
    title: &'static str,
    y_label: &'static str,
    curves: Vec<Curve>,
    legend: SeriesLabelPosition,
}

/// A curve over the epochs.
struct Curve {
    name: &'static str,
    color: RGBColor,
    points: Vec<(f64, f64)>,
}

fn svg(log: &[LogEntry]) -> String {
    let panels = panels(log).into_iter().filter(|panel| !panel.curves.is_empty()).collect::<Vec<_>>();
    let epochs = panels.iter().flat_map(Panel::points).map(|(epoch, _)| epoch).fold(0.0, f64::max);
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH, PANEL_HEIGHT * panels.len() as u32));
    let root = root.into_drawing_area();
    let drawn = root.fill(&WHITE).and_then(|()| {
        let areas = root.split_evenly((panels.len(), 1));
        panels.iter().zip(areas).try_for_each(|(panel, area)| panel.draw(&area, epochs))
    });
    drawn.and_then(|()| root.present()).expect("drawing into a string does not fail");
    drop(root);
    svg
}

fn panels(log: &[LogEntry]) -> [Panel; 3] {
    let trained = |of: fn(&crate::StepLog) -> f64| {
        let points = log.iter().filter_map(|entry| match entry {
            LogEntry::Train(line) => Some((line.epoch, of(line))),
            LogEntry::Evaluation { .. } => None,
        });
        points.collect::<Vec<_>>()
    };
    let evaluated = |name: &str| {
        let points = log.iter().filter_map(|entry| match entry {
            LogEntry::Train(_) => None,
            LogEntry::Evaluation { epoch, evaluation, .. } => Some((*epoch, evaluation.metrics.value(name)?)),
        });
        points.collect::<Vec<_>>()
    };
    let (loss_label, quality_label, names) = labels(log);
    let loss = [("training", trained(|line| line.loss)), ("evaluation", evaluated("loss"))];
    let quality = names.map(|(title, name)| (title, evaluated(name)));
    let rate = [("learning rate", trained(|line| line.learning_rate))];
    [
        Panel::new("Loss", loss_label, loss, UpperRight),
        Panel::new("Evaluation", quality_label, quality, LowerRight),
        Panel::new("Learning rate", "learning rate", rate, UpperRight),
    ]
}

/// Returns the labels of the loss and of the quality, and the titles and names of two metrics.
fn labels(log: &[LogEntry]) -> (&'static str, &'static str, [(&'static str, &'static str); 2]) {
    let problem_type = log.iter().find_map(|entry| match entry {
        LogEntry::Evaluation { evaluation, .. } => Some(evaluation.metrics.problem_type()),
        LogEntry::Train(_) => None,
    });
    let accuracy_f1 = ("accuracy, F1", [("accuracy", "accuracy"), ("F1", "f1")]);
    let (loss, (quality, names)) = match problem_type {
        None => ("loss", accuracy_f1),
        Some(ProblemType::SingleLabelClassification) => ("cross-entropy (nats)", accuracy_f1),
        Some(ProblemType::MultiLabelClassification) => {
            let f1 = [("F1, micro", "f1_micro"), ("F1, macro", "f1_macro")];
            ("binary cross-entropy (nats)", ("F1", f1))
        }
        Some(ProblemType::Regression) => {
            let correlations = [("Pearson", "pearson"), ("Spearman", "spearman")];
            ("mean squared error", ("correlation", correlations))
        }
    };
    (loss, quality, names)
}

impl Panel {
    fn new<const N: usize>(
        title: &'static str,
        y_label: &'static str,
        curves: [(&'static str, Vec<(f64, f64)>); N],
        legend: SeriesLabelPosition,
    ) -> Self {
        let finite = |points: Vec<(f64, f64)>| points.into_iter().filter(|(_, y)| y.is_finite()).collect();
        let curves = curves.into_iter().zip([BLUE, ORANGE]);
        let curves = curves.map(|((name, points), color)| Curve { name, color, points: finite(points) });
        let curves = curves.filter(|curve| !curve.points.is_empty()).collect();
        Self { title, y_label, curves, legend }
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.curves.iter().flat_map(|curve| curve.points.iter().copied())
    }

    /// Returns the range of the y-axis. It starts at 0, or below the lowest point if that is high or negative.
    fn y_range(&self) -> Range<f64> {
        let highest = self.points().map(|(_, y)| y).fold(0.0, f64::max);
        let lowest = self.points().map(|(_, y)| y).fold(f64::INFINITY, f64::min);
        let margin = if highest > 0.0 { 0.05 * highest } else { 1.0 };
        let bottom = if lowest > 0.5 * highest || lowest < 0.0 { lowest - margin } else { 0.0 };
        bottom..highest + margin
    }

    fn draw<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, plotters::coord::Shift>,
        epochs: f64,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(80)
            .build_cartesian_2d(0.0..epochs, self.y_range())?;
        chart
            .configure_mesh()
            .x_desc("epoch")
            .y_desc(self.y_label)
            .y_label_formatter(&short)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 14))
            .draw()?;
        for Curve { name, color, points } in &self.curves {
            let line = move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2));
            chart
                .draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?
                .label(*name)
                .legend(line);
            chart.draw_series(points.iter().map(|&point| Circle::new(point, 2, color.filled())))?;
        }
        chart
            .configure_series_labels()
            .position(self.legend.clone())
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.2))
            .draw()
    }
}

/// Formats a number without the digits of binary rounding.
fn short(number: &f64) -> String {
    match *number {
        0.0 => "0".to_owned(),
        small if small.abs() < 0.01 => {
            format!("{:e}", format!("{small:.2e}").parse::<f64>().unwrap_or(small))
        }
        other => format!("{}", (other * 1000.0).round() / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Evaluation, MetricOptions, Metrics, StepLog, Targets};

    fn step(epoch: f64, loss: f64) -> LogEntry {
        let log =
            StepLog { step: 1, epoch, loss, grad_norm: 1.0, learning_rate: 2e-5, tokens_per_second: 1.0 };
        LogEntry::Train(log)
    }

    fn evaluation(epoch: f64, logits: &[Vec<f32>]) -> LogEntry {
        evaluation_of(epoch, logits, &Targets::Labels(vec![0, 1]))
    }

    fn evaluation_of(epoch: f64, logits: &[Vec<f32>], targets: &Targets) -> LogEntry {
        let metrics = Metrics::new(logits, targets, MetricOptions::default());
        let evaluation = Evaluation {
            metrics,
            eval_runtime: 1.0,
            eval_samples_per_second: 1.0,
            eval_steps_per_second: 1.0,
        };
        LogEntry::Evaluation { step: 1, epoch, evaluation }
    }

    #[test]
    fn panels_have_axes_and_a_legend() {
        let svg = svg(&[step(0.5, 0.7), step(1.0, 0.5), evaluation(1.0, &[vec![1.0, 0.0], vec![0.0, 1.0]])]);
        let texts = [
            "Loss",
            "Learning rate",
            "Evaluation",
            "epoch",
            "cross-entropy (nats)",
            "training",
            "evaluation",
            "F1",
            "2e-5",
        ];
        for text in texts {
            assert!(svg.lines().any(|line| line.trim() == text), "{text} is missing in\n{svg}");
        }
    }

    #[test]
    fn each_problem_type_has_its_own_metrics() {
        let multi_hot = Targets::MultiHot(vec![vec![true, false], vec![false, true]]);
        let values = Targets::Values(vec![vec![1.0, 3.0], vec![2.0, 1.0]]);
        for (targets, texts) in [
            (multi_hot, ["binary cross-entropy (nats)", "F1, micro", "F1, macro"]),
            (values, ["mean squared error", "Pearson", "Spearman"]),
        ] {
            let logits = [vec![1.0, 0.0], vec![0.0, 1.0]]; // negative correlations
            let svg = svg(&[step(1.0, 0.5), evaluation_of(1.0, &logits, &targets)]);
            for text in texts {
                assert!(svg.lines().any(|line| line.trim() == text), "{text} is missing in\n{svg}");
            }
            assert!(!svg.contains("accuracy"), "{svg}");
        }
    }

    #[test]
    fn a_run_without_evaluation_has_two_panels() {
        let svg = svg(&[step(1.0, 0.5)]);
        assert!(svg.contains("height=\"640\"") && !svg.contains("accuracy"), "{svg}");
    }

    #[test]
    fn a_nan_loss_is_skipped() {
        let svg = svg(&[step(1.0, f64::NAN), step(2.0, 0.5)]);
        assert!(!svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn tick_labels_are_short() {
        assert_eq!(
            [0.0, 0.1 + 0.2, 0.75, 0.1 * 2e-4].map(|number| short(&number)),
            ["0", "0.3", "0.75", "2e-5"]
        );
    }
}
