//! The output of `predict`: a file, JSON lines, or an Arrow stream.

use std::io::{self, ErrorKind, stdout};

use embert_data::{DataError, Table, TableWriter};

use super::job::Output;
use crate::error::CliError;

/// An open output.
pub(super) struct Predictions {
    writer: TableWriter<'static>,
    is_stdout: bool,
}

impl Predictions {
    pub(super) fn open(output: &Output) -> Result<Self, CliError> {
        let (writer, is_stdout) = match output {
            Output::File(path) => (TableWriter::create(path).map_err(CliError::unwritten)?, false),
            Output::Lines => (TableWriter::jsonl(stdout()), true),
            Output::ArrowStream => (TableWriter::arrow_stream(stdout()), true),
        };
        Ok(Self { writer, is_stdout })
    }

    /// Writes rows. Returns false if the reader of standard output closed it.
    pub(super) fn write(&mut self, rows: &Table) -> Result<bool, CliError> {
        let written = self.writer.write(rows);
        self.is_open(written)
    }

    /// Completes the output.
    pub(super) fn finish(self) -> Result<(), CliError> {
        let Self { writer, is_stdout } = self;
        let finished = writer.finish();
        is_open(finished, is_stdout).map(drop)
    }

    fn is_open(&self, result: Result<(), DataError>) -> Result<bool, CliError> {
        is_open(result, self.is_stdout)
    }
}

fn is_open(result: Result<(), DataError>, is_stdout: bool) -> Result<bool, CliError> {
    match result {
        Ok(()) => Ok(true),
        Err(DataError::Io { source, .. }) if is_stdout && is_closed(&source) => Ok(false),
        Err(DataError::Io { source, .. }) if is_stdout => {
            Err(CliError::failed(format!("standard output: {source}")))
        }
        Err(error) => Err(CliError::unwritten(error)),
    }
}

fn is_closed(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}
