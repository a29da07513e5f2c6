//! Progress bars, which are shown only on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// A progress bar on standard error, and its initial position.
pub(crate) struct Bar(ProgressBar, u64);

impl Bar {
    /// Counts items.
    pub(crate) fn items(what: &str, total: usize) -> Self {
        Self::new(what, total as u64, 0, "{msg} {wide_bar:.cyan/dim} {human_pos}/{human_len} {eta}")
    }

    /// Counts items of an unknown number.
    pub(crate) fn counter(what: &str) -> Self {
        Self::new(what, 0, 0, "{msg} {human_pos} {per_sec} {elapsed}")
    }

    /// Counts downloaded bytes.
    pub(crate) fn bytes(what: &str, total: u64) -> Self {
        Self::new(what, total, 0, "{msg} {wide_bar:.cyan/dim} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
    }

    /// Counts optimizer steps, starting after the `done` ones.
    pub(crate) fn steps(total: usize, done: usize) -> Self {
        Self::new("", total as u64, done as u64, "{pos}/{len} {wide_bar:.cyan/dim} {msg} {elapsed}<{eta}")
    }

    fn new(what: &str, total: u64, done: u64, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), target()).with_position(done);
        bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(500));
        bar.reset_eta();
        Self(bar, done)
    }

    pub(crate) fn set(&self, position: u64) {
        self.0.set_position(position);
    }

    pub(crate) fn add(&self, more: usize) {
        self.0.inc(more as u64);
    }

    /// Shows metrics and the mean time of a step.
    pub(crate) fn describe(&self, metrics: String) {
        let seconds = self.0.elapsed().as_secs_f64() / self.0.position().saturating_sub(self.1).max(1) as f64;
        self.0.set_message(format!("{metrics} {seconds:.2} s/it"));
    }

    /// Warns above the bar.
    pub(crate) fn warn(&self, warning: &str) {
        self.0.suspend(|| output::warn(warning));
    }

    /// Prints a line on standard output, above the bar.
    pub(crate) fn print(&self, line: &str) {
        self.0.suspend(|| output::print(line));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}
