//! `embert predict`: predicts labels and scores of texts, in their order. Reads and writes chunks of rows, so memory does
//! not grow with their number.

mod columns;
mod input;
mod job;
mod output;
mod output_file;

use std::ops::ControlFlow;

use clap::ArgMatches;
use embert_inference::{Classifier, predict};

use crate::encoded_examples::{Texts, encode_quietly};
use crate::error::CliError;
use crate::fine_tuned::FineTuned;
use crate::interrupt::Interrupt;
use columns::ResultColumns;
use input::{Chunk, Chunks, Reading};
pub(crate) use job::Shard;
use job::{Input, Job, Output};
use output::Predictions;

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let jobs = job::jobs(matches)?;
    let fine_tuned = FineTuned::open(matches)?;
    let reading = Reading::new(&fine_tuned.recipe.data)?;
    let classifier = fine_tuned.load()?;
    let columns = ResultColumns::of(matches);
    let interrupt =
        if jobs.iter().all(Job::writes_file) { Interrupt::listen() } else { Ok(Interrupt::default()) };
    let interrupt = interrupt.map_err(CliError::failed)?;
    let predictor = Predictor { reading, classifier, columns, interrupt };
    jobs.iter().try_for_each(|job| predictor.run(job))
}

/// Predicts the texts of a job.
struct Predictor {
    reading: Reading,
    classifier: Classifier,
    columns: ResultColumns,
    /// Receives no signal if the process may wait for its input or output, because a signal has to end it then.
    interrupt: Interrupt,
}

impl Predictor {
    fn run(&self, job: &Job) -> Result<(), CliError> {
        let mut predictions = Predictions::open(&job.output)?;
        let bar = job.bar();
        let mut done = 0;
        for chunk in self.chunks(&job.input)? {
            let Chunk { columns: rows, texts, pairs } = chunk?;
            if let (0, Output::File(path)) = (done, &job.output) {
                output_file::require_columns(path, || self.columns.names(&rows, &self.classifier))?;
            }
            let on_progress = |more: usize| {
                bar.set((done + more) as u64);
                self.interrupt.signal().map_or(Ok(()), |signal| Err(job.interrupted(signal)))
            };
            let logits = self.logits(Texts { texts: &texts, pairs: pairs.as_deref() }, &on_progress)?;
            done += texts.len();
            if !predictions.write(&self.columns.append(rows, logits, &self.classifier))? {
                return Ok(()); // the reader closed the pipe
            }
        }
        drop(bar);
        if done > 0 { predictions.finish() } else { job.without_texts() }
    }

    fn chunks(&self, input: &Input) -> Result<Chunks<'_>, CliError> {
        let reading = &self.reading;
        Ok(match input {
            Input::Arguments { texts, pairs } => Box::new(std::iter::once(reading.arguments(texts, pairs))),
            Input::Lines => reading.lines(),
            Input::File(path) => reading.file(path)?,
            Input::ArrowStream => reading.arrow_stream()?,
        })
    }

    /// Returns the logits of each text, `[texts][num_labels]`. Fails with the error of `on_progress`.
    fn logits(
        &self,
        texts: Texts<'_, String>,
        on_progress: &dyn Fn(usize) -> Result<(), CliError>,
    ) -> Result<Vec<Vec<f32>>, CliError> {
        let classifier = &self.classifier;
        let encoded = encode_quietly(&classifier.tokenizer, texts, classifier.limit)?;
        predict::<CliError>(&classifier.model, &encoded, classifier.batching, &mut |progress| {
            on_progress(progress.done)?;
            Ok(ControlFlow::Continue(()))
        })
    }
}
