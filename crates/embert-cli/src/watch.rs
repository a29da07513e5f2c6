//! Shows and records the events of a training run.

use std::io::{IsTerminal, stdout};

use embert_train::{Event, EventResult, LogEntry, RunDirectory, RunPlan, StepLog, TrainError};

use crate::interrupt::Interrupt;
use crate::progress::Bar;
use crate::recipe::OnSaveError;
use crate::{output, report, warnings};

/// The receiver of a run's events.
pub(crate) struct Watch<'a> {
    directory: &'a mut RunDirectory,
    interrupt: &'a Interrupt,
    labels: Vec<String>,
    /// The number of parameters as PEFT counts it, if there is an adapter.
    num_parameters: Option<usize>,
    on_save_error: OnSaveError,
    bar: Option<Bar>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(
        directory: &'a mut RunDirectory,
        interrupt: &'a Interrupt,
        labels: Vec<String>,
        num_parameters: Option<usize>,
        on_save_error: OnSaveError,
    ) -> Self {
        Self { directory, interrupt, labels, num_parameters, on_save_error, bar: None }
    }

    /// Records an event and shows it. Returns `Break` after a signal.
    pub(crate) fn handle(&mut self, event: Event<'_>) -> EventResult {
        let checkpoint = match self.directory.record(&event) {
            Ok(checkpoint) => checkpoint,
            Err(error) if self.continues_without_save() => {
                self.warn(&format!(
                    "{}; training continues and saves again at the next checkpoint",
                    self.unsaved(&error)
                ));
                None
            }
            Err(error) => return Err(error),
        };
        match &event {
            Event::Started(plan) => {
                let num_parameters = self.num_parameters.unwrap_or(plan.num_parameters);
                output::print(report::plan(&RunPlan { num_parameters, ..*plan }));
                self.bar = Some(Bar::steps(plan.total_steps, plan.first_step));
            }
            Event::Step(line) => self.show_step(line),
            Event::Logged(entry) | Event::Evaluated(entry) => {
                self.print(&line(entry));
                self.warn_of(entry);
            }
            Event::Unfrozen { epoch, num_trainable_parameters } => {
                let trainable = report::grouped(*num_trainable_parameters);
                self.print(&format!("epoch {epoch} unfreezes: trainable params: {trainable}"));
            }
            Event::Finished(_) => self.bar = None,
            _ => {}
        }
        if let Some(path) = checkpoint {
            self.print(&format!("saved {}", path.display()));
        }
        Ok(self.interrupt.flow())
    }

    fn show_step(&self, line: &StepLog) {
        let Some(bar) = &self.bar else { return };
        bar.set(line.step as u64);
        bar.describe(format!("loss {:.4} {:.0} tokens/s", line.loss, line.tokens_per_second));
    }

    fn warn_of(&self, entry: &LogEntry) {
        let LogEntry::Evaluation { evaluation, .. } = entry else { return };
        let Some(warning) = warnings::one_label(&evaluation.metrics, &self.labels) else { return };
        self.warn(&warning);
    }

    /// Returns true if training continues after a failed save. An interrupted run cannot save later.
    fn continues_without_save(&self) -> bool {
        self.on_save_error == OnSaveError::Continue && self.interrupt.signal().is_none()
    }

    fn unsaved(&self, error: &TrainError) -> String {
        match self.directory.last_checkpoint() {
            Some(path) => format!("not saved: {error}; the last complete checkpoint is {}", path.display()),
            None => format!("not saved: {error}"),
        }
    }

    fn warn(&self, warning: &str) {
        match &self.bar {
            Some(bar) => bar.warn(warning),
            None => output::warn(warning),
        }
    }

    fn print(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.print(line),
            None => output::print(line),
        }
    }
}

/// Formats a log line: as text for a terminal, else as JSON.
fn line(entry: &LogEntry) -> String {
    if stdout().is_terminal() { report::log_line(entry) } else { json(entry) }
}

/// Formats a log line as JSON with four significant digits. `metrics.jsonl` has all digits.
fn json(entry: &LogEntry) -> String {
    let mut line = serde_json::to_value(entry).expect("a log line is JSON");
    for value in line.as_object_mut().expect("a log line is an object").values_mut() {
        if let Some(exact) = value.as_f64().filter(|_| value.is_f64()) {
            *value = format!("{exact:.3e}").parse::<f64>().expect("a number was written").into();
        }
    }
    line.to_string()
}
