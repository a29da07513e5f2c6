//! `metrics.jsonl`: the log as JSON lines, flushed to disk line by line.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::atomic::write_file;
use super::run_files::METRICS;
use super::trainer_state::to_value;
use crate::error::{TrainError, at};
use crate::log_entry::LogEntry;

/// The file, and its complete text.
#[derive(Debug)]
pub(crate) struct MetricsLog {
    path: PathBuf,
    text: String,
    /// `None` after an error, because the file may end with an incomplete line.
    file: Option<File>,
}

impl MetricsLog {
    /// Creates the file with these lines.
    pub(crate) fn create(directory: &Path, log: &[LogEntry]) -> Result<Self, TrainError> {
        let text = log.iter().map(line).collect();
        let mut this = Self { path: directory.join(METRICS), text, file: None };
        this.rewrite().map(|()| this)
    }

    /// Appends a line. After an earlier error, rewrites the complete file.
    pub(crate) fn append(&mut self, entry: &LogEntry) -> Result<(), TrainError> {
        let line = line(entry);
        self.text += &line;
        let Some(mut file) = self.file.take() else { return self.rewrite() };
        file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(at(&self.path))?;
        self.file = Some(file);
        Ok(())
    }

    fn rewrite(&mut self) -> Result<(), TrainError> {
        write_file(&self.path, self.text.as_bytes())?;
        self.file = Some(OpenOptions::new().append(true).open(&self.path).map_err(at(&self.path))?);
        Ok(())
    }
}

fn line(entry: &LogEntry) -> String {
    format!("{}\n", to_value(entry))
}
