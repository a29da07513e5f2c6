//! Writes tables one after the other to jsonl, csv, tsv, parquet or arrow.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

#[cfg(feature = "parquet")]
use ::parquet::arrow::ArrowWriter;
#[cfg(feature = "parquet")]
use arrow_ipc::writer::{FileWriter, StreamWriter};
#[cfg(feature = "parquet")]
use arrow_schema::Schema;

use super::Table;
#[cfg(feature = "parquet")]
use super::arrow_batches::ArrowBatches;
use super::atomic_file::AtomicFile;
use crate::error::DataError;
use crate::format::Format;
use crate::formatting::quoted;

/// Writes tables with the same columns to one file or stream.
///
/// The file appears, or replaces an existing one, only at [`finish`](Self::finish). Without that, nothing changes.
///
/// In parquet and arrow, columns have types, which the first table decides. Tables of a [`TableReader`](super::TableReader)
/// know the types of the complete input, so all of its tables fit. A value of another table that does not fit is an error.
/// Arrow output has the values of a dictionary column instead of its dictionary.
pub struct TableWriter<'a> {
    /// The file, or a name for messages.
    path: PathBuf,
    output: Output<'a>,
    /// The columns of the first table.
    columns: Option<Vec<String>>,
    #[cfg(feature = "parquet")]
    batches: Option<ArrowBatches>,
}

/// The format of an output, and its state. Formats with a schema start with the first table.
enum Output<'a> {
    Jsonl(BufWriter<Sink<'a>>),
    Delimited(Box<csv::Writer<Sink<'a>>>),
    #[cfg(feature = "parquet")]
    Waiting(Sink<'a>, Typed),
    #[cfg(feature = "parquet")]
    Parquet(Box<ArrowWriter<Sink<'a>>>),
    #[cfg(feature = "parquet")]
    ArrowFile(Box<FileWriter<BufWriter<Sink<'a>>>>),
    #[cfg(feature = "parquet")]
    ArrowStream(Box<StreamWriter<BufWriter<Sink<'a>>>>),
    /// After an error.
    Failed,
}

/// A format with a schema.
#[cfg(feature = "parquet")]
#[derive(Clone, Copy, PartialEq)]
enum Typed {
    Parquet,
    ArrowFile,
    ArrowStream,
}

/// A file or a stream.
enum Sink<'a> {
    File(AtomicFile),
    Stream(Box<dyn Write + Send + 'a>),
}

impl Write for Sink<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(buffer),
            Self::Stream(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stream(stream) => stream.flush(),
        }
    }
}

impl<'a> TableWriter<'a> {
    /// Creates a file in the format of the extension: `.jsonl`, `.csv`, `.tsv`, `.parquet` or `.arrow`.
    ///
    /// Keeps the permissions of an existing file. Replaces the target of a symbolic link, not the link.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownExtension`] before anything is written; [`DataError::Io`].
    pub fn create(path: &Path) -> Result<Self, DataError> {
        let format = Format::of_output(path)?;
        let sink = Sink::File(AtomicFile::create(path).map_err(DataError::io(path))?);
        Ok(Self::new(
            path,
            match format {
                Format::Delimited(separator) => {
                    let mut builder = csv::WriterBuilder::new();
                    builder.delimiter(separator).buffer_capacity(64 << 10);
                    Output::Delimited(Box::new(builder.from_writer(sink)))
                }
                #[cfg(feature = "parquet")]
                Format::Parquet => Output::Waiting(sink, Typed::Parquet),
                #[cfg(feature = "parquet")]
                Format::Arrow => Output::Waiting(sink, Typed::ArrowFile),
                Format::Json | Format::Jsonl | Format::Text => Output::Jsonl(BufWriter::new(sink)),
            },
        ))
    }

    /// Writes jsonl to a stream: one object per row. NaN and infinity become null.
    pub fn jsonl(stream: impl Write + Send + 'a) -> Self {
        let sink = Sink::Stream(Box::new(stream));
        Self::new("output".as_ref(), Output::Jsonl(BufWriter::new(sink)))
    }

    /// Writes an Arrow IPC stream.
    #[cfg(feature = "parquet")]
    pub fn arrow_stream(stream: impl Write + Send + 'a) -> Self {
        Self::new("output".as_ref(), Output::Waiting(Sink::Stream(Box::new(stream)), Typed::ArrowStream))
    }

    fn new(path: &Path, output: Output<'a>) -> Self {
        Self {
            path: path.to_path_buf(),
            output,
            columns: None,
            #[cfg(feature = "parquet")]
            batches: None,
        }
    }

    /// Writes all rows of a table.
    ///
    /// # Errors
    ///
    /// [`DataError::OutputColumns`] if the columns differ from those of the first table; [`DataError::ValueType`] if a
    /// value does not fit the type of its column; [`DataError::Io`]. After an error, nothing more can be written.
    pub fn write(&mut self, table: &Table) -> Result<(), DataError> {
        let is_first = self.columns.is_none();
        self.require_same_columns(table)?;
        let written = self.write_rows(table, is_first);
        if written.is_err() {
            self.output = Output::Failed;
        }
        written
    }

    /// Completes the output. A file appears only now.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`]; also after an error of [`write`](Self::write).
    pub fn finish(self) -> Result<(), DataError> {
        let Self { path, output, .. } = self;
        let finished = output.finish().and_then(|sink| match sink {
            Sink::File(file) => file.commit(),
            Sink::Stream(mut stream) => stream.flush(),
        });
        finished.map_err(DataError::io(&path))
    }

    fn require_same_columns(&mut self, table: &Table) -> Result<(), DataError> {
        let expected = self.columns.get_or_insert_with(|| table.column_names().map(str::to_owned).collect());
        if table.column_names().eq(expected.iter()) {
            return Ok(());
        }
        Err(DataError::OutputColumns {
            path: self.path.clone(),
            found: quoted(table.column_names()),
            expected: quoted(expected.iter().map(String::as_str)),
        })
    }

    fn write_rows(&mut self, table: &Table, is_first: bool) -> Result<(), DataError> {
        #[cfg(feature = "parquet")]
        if is_first {
            self.start(table)?;
        }
        let failed = DataError::io(&self.path);
        match &mut self.output {
            Output::Jsonl(out) => write_jsonl(table, out).map_err(failed),
            Output::Delimited(out) => write_delimited(table, out, is_first).map_err(failed),
            #[cfg(feature = "parquet")]
            Output::Parquet(out) => {
                write_batches(&self.path, self.batches.as_ref(), table, |batch| Ok(out.write(batch)?))
            }
            #[cfg(feature = "parquet")]
            Output::ArrowFile(out) => write_batches(&self.path, self.batches.as_ref(), table, |batch| {
                out.write(batch).map_err(from_arrow)
            }),
            #[cfg(feature = "parquet")]
            Output::ArrowStream(out) => write_batches(&self.path, self.batches.as_ref(), table, |batch| {
                out.write(batch).map_err(from_arrow)
            }),
            #[cfg(feature = "parquet")]
            Output::Waiting(..) => Err(failed(after_error())),
            Output::Failed => Err(failed(after_error())),
        }
    }

    /// Starts a format with a schema.
    #[cfg(feature = "parquet")]
    fn start(&mut self, table: &Table) -> Result<(), DataError> {
        let (sink, typed) = match std::mem::replace(&mut self.output, Output::Failed) {
            Output::Waiting(sink, typed) => (sink, typed),
            other => {
                self.output = other;
                return Ok(());
            }
        };
        let batches = ArrowBatches::new(&self.path, table, typed != Typed::Parquet);
        self.output = typed.start(sink, &batches.schema()).map_err(DataError::io(&self.path))?;
        self.batches = Some(batches);
        Ok(())
    }
}

#[cfg(feature = "parquet")]
impl Typed {
    fn start<'a>(self, sink: Sink<'a>, schema: &arrow_schema::SchemaRef) -> io::Result<Output<'a>> {
        Ok(match self {
            Self::Parquet => Output::Parquet(Box::new(ArrowWriter::try_new(sink, schema.clone(), None)?)),
            Self::ArrowFile => {
                let writer = FileWriter::try_new(BufWriter::new(sink), schema).map_err(from_arrow)?;
                Output::ArrowFile(Box::new(writer))
            }
            Self::ArrowStream => {
                let writer = StreamWriter::try_new(BufWriter::new(sink), schema).map_err(from_arrow)?;
                Output::ArrowStream(Box::new(writer))
            }
        })
    }
}

impl<'a> Output<'a> {
    /// Writes the end of the format and returns the file or stream.
    fn finish(self) -> io::Result<Sink<'a>> {
        match self {
            Self::Jsonl(out) => out.into_inner().map_err(io::IntoInnerError::into_error),
            Self::Delimited(out) => out.into_inner().map_err(csv::IntoInnerError::into_error),
            #[cfg(feature = "parquet")]
            Self::Waiting(sink, typed) => typed.start(sink, &Schema::empty().into())?.finish(),
            #[cfg(feature = "parquet")]
            Self::Parquet(out) => Ok(out.into_inner()?),
            #[cfg(feature = "parquet")]
            Self::ArrowFile(mut out) => {
                out.finish().map_err(from_arrow)?;
                let out = out.into_inner().map_err(from_arrow)?;
                out.into_inner().map_err(io::IntoInnerError::into_error)
            }
            #[cfg(feature = "parquet")]
            Self::ArrowStream(mut out) => {
                out.finish().map_err(from_arrow)?;
                let out = out.into_inner().map_err(from_arrow)?;
                out.into_inner().map_err(io::IntoInnerError::into_error)
            }
            Self::Failed => Err(after_error()),
        }
    }
}

#[cfg(feature = "parquet")]
fn write_batches(
    path: &Path,
    batches: Option<&ArrowBatches>,
    table: &Table,
    mut write: impl FnMut(&arrow_array::RecordBatch) -> io::Result<()>,
) -> Result<(), DataError> {
    for batch in batches.into_iter().flat_map(|batches| batches.of_table(table)) {
        write(&batch?).map_err(DataError::io(path))?;
    }
    Ok(())
}

pub(super) fn write_jsonl(table: &Table, out: &mut impl Write) -> io::Result<()> {
    for row in 0..table.rows() {
        for (at, (name, column)) in table.columns.iter().enumerate() {
            out.write_all(if at == 0 { b"{" } else { b"," })?;
            serde_json::to_writer(&mut *out, name)?;
            out.write_all(b":")?;
            column.write_json(row, &mut *out)?;
        }
        out.write_all(b"}\n")?;
    }
    Ok(())
}

fn write_delimited(table: &Table, out: &mut csv::Writer<Sink<'_>>, with_header: bool) -> io::Result<()> {
    if with_header {
        out.write_record(table.column_names())?;
    }
    for row in 0..table.rows() {
        for (_, column) in &table.columns {
            out.write_field(column.cell(row)?)?;
        }
        out.write_record(None::<&[u8]>)?;
    }
    Ok(())
}

#[cfg(feature = "parquet")]
fn from_arrow(error: arrow_schema::ArrowError) -> io::Error {
    match error {
        arrow_schema::ArrowError::IoError(_, error) => error,
        other => io::Error::other(other),
    }
}

fn after_error() -> io::Error {
    io::Error::other("an earlier write failed")
}
