//! The work of a command line: an input and its output, or one of each for every part of a directory.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use embert_data::{DataError, estimated_rows, input_parts};

use super::output_file;
use crate::commands::output_file::is_inside;
use crate::error::CliError;
use crate::progress::Bar;
use crate::{local_path, output};

/// An input.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    Arguments { texts: Vec<String>, pairs: Vec<String> },
    Lines,
    File(PathBuf),
    ArrowStream,
}

/// The place of the predictions.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    /// JSON lines on standard output.
    Lines,
    ArrowStream,
    File(PathBuf),
}

/// An input and its output.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Job {
    pub(super) input: Input,
    pub(super) output: Output,
    /// The input is one of the files of a directory or a glob.
    is_part: bool,
}

impl Job {
    /// Returns the progress bar of the texts. Their number is an estimate.
    pub(super) fn bar(&self) -> Bar {
        let (what, rows) = match &self.input {
            Input::Arguments { texts, .. } => ("Predicting".into(), Some(texts.len() as u64)),
            Input::File(path) => (format!("Predicting {}", path.display()), estimated_rows(path)),
            Input::Lines | Input::ArrowStream => ("Predicting".into(), None),
        };
        rows.map_or_else(|| Bar::counter(&what), |rows| Bar::items(&what, rows as usize))
    }

    /// Returns true if the job writes a file and never waits for another process.
    pub(super) fn writes_file(&self) -> bool {
        let is_read_at_once = match &self.input {
            Input::Arguments { .. } => true,
            Input::File(path) => path.is_file(),
            Input::Lines | Input::ArrowStream => false,
        };
        is_read_at_once && matches!(&self.output, Output::File(path) if path.is_file() || !path.exists())
    }

    /// Returns the error of a job that a signal interrupted.
    pub(super) fn interrupted(&self, signal: usize) -> CliError {
        let Output::File(path) = &self.output else { return CliError::interrupted("interrupted", signal) };
        let advice = if self.is_part { "; --resume predicts the missing parts" } else { "" };
        CliError::interrupted(format!("interrupted: {} is not written{advice}", path.display()), signal)
    }

    /// Ends a job whose input has no texts: a part has no output, and any other input is an error.
    pub(super) fn without_texts(&self) -> Result<(), CliError> {
        match &self.input {
            Input::File(path) if self.is_part => {
                output::warn(format!("{}: this part has no rows, so it gets no output", path.display()));
                Ok(())
            }
            _ => Err(CliError::rejected(
                "there are no texts: give them as arguments, as lines or with --input",
            )),
        }
    }
}

/// Returns the jobs of a command line. Fails if an output must not be written.
pub(super) fn jobs(matches: &ArgMatches) -> Result<Vec<Job>, CliError> {
    let texts = |name| matches.get_many::<String>(name).into_iter().flatten().cloned().collect::<Vec<_>>();
    let output = matches.get_one::<String>("output").filter(|output| *output != "-");
    let input = match matches.get_one::<String>("input") {
        Some(input)
            if Path::new(input).is_dir() || !Path::new(input).exists() && local_path::is_glob(input) =>
        {
            return of_parts(input, output, matches);
        }
        Some(input) => {
            local_path::require(input)?;
            refuse_pipe(input)?;
            Input::File(input.into())
        }
        None if matches.get_flag("arrow_stream") => Input::ArrowStream,
        None if texts("text").is_empty() => Input::Lines,
        None => Input::Arguments { texts: texts("text"), pairs: texts("text_pair") },
    };
    if let Some(flag) = ["shard", "resume"].into_iter().find(|flag| is_given(matches, flag)) {
        return Err(CliError::usage(format!("--{flag} needs --input with a directory or a glob of files")));
    }
    let output = match output {
        Some(path) => {
            let input = if let Input::File(path) = &input { path.to_str() } else { None };
            output_file::check(input, path)?;
            Output::File(path.into())
        }
        None if matches.get_flag("arrow_stream") => Output::ArrowStream,
        None => Output::Lines,
    };
    Ok(vec![Job { input, output, is_part: false }])
}

/// Fails if the input is a pipe, a socket or a device.
fn refuse_pipe(input: &str) -> Result<(), CliError> {
    match input_parts(Path::new(input)) {
        Err(error @ DataError::NotAFile { .. }) => Err(CliError::rejected(format!(
            "{error}, or leave --input out: predict reads a text from each line of standard input"
        ))),
        _ => Ok(()), // other errors are those of reading it
    }
}

fn is_given(matches: &ArgMatches, flag: &str) -> bool {
    if flag == "resume" { matches.get_flag(flag) } else { matches.contains_id(flag) }
}

/// Returns a job for each part of a directory or a glob: its output has the name of the part.
fn of_parts(input: &str, output: Option<&String>, matches: &ArgMatches) -> Result<Vec<Job>, CliError> {
    let Some(output) = output.map(PathBuf::from) else {
        return Err(CliError::usage(format!(
            "--input {input}: several files need --output DIR, which gets one file for each of them"
        )));
    };
    if output.exists() && !output.is_dir() {
        let output = output.display();
        return Err(CliError::usage(format!(
            "--output {output}: this is a file; several files need a directory"
        )));
    }
    let parts = input_parts(Path::new(input))?;
    if parts.is_empty() {
        return Err(CliError::rejected(local_path::no_such(input)));
    }
    refuse_output_inside(input, &output)?;
    let mut jobs = parts.iter().map(|part| job_of(part, input, &output)).collect::<Result<Vec<_>, _>>()?;
    refuse_equal_outputs(&jobs)?;
    if let Some(shard) = matches.get_one::<Shard>("shard") {
        jobs = jobs.into_iter().skip(shard.number - 1).step_by(shard.count).collect();
    }
    if matches.get_flag("resume") {
        let count = jobs.len();
        jobs.retain(|job| !matches!(&job.output, Output::File(path) if path.is_file()));
        output::print_stderr(format_args!("{} of {count} parts are complete already", count - jobs.len()));
    }
    for Job { input, output, .. } in &jobs {
        let (Input::File(input), Output::File(output)) = (input, output) else { continue };
        let directory = output.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(|error| {
            CliError::usage(format!("--output {}: cannot be created: {error}", directory.display()))
        })?;
        output_file::check(input.to_str(), &output.display().to_string())?;
    }
    Ok(jobs)
}

/// Returns the job of a part. The output keeps the folders below the input, and the format if it can be written.
fn job_of(part: &Path, input: &str, output: &Path) -> Result<Job, CliError> {
    let relative = part.strip_prefix(input).unwrap_or(Path::new(part.file_name().unwrap_or_default()));
    let name = output_file::name_for(relative);
    Ok(Job { input: Input::File(part.into()), output: Output::File(output.join(name)), is_part: true })
}

/// Fails if the output is in the directory of the input: a later call would read the predictions as texts.
fn refuse_output_inside(input: &str, output: &Path) -> Result<(), CliError> {
    if !is_inside(output, Path::new(input)) {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "--output {} is in --input {input}, so a later call would read the predictions as texts; name another directory",
        output.display()
    )))
}

/// Fails if two parts have the same output, such as `a.csv` and `a.csv.gz`.
fn refuse_equal_outputs(jobs: &[Job]) -> Result<(), CliError> {
    let mut seen = std::collections::HashSet::new();
    match jobs.iter().find(|job| !seen.insert(format!("{:?}", job.output))) {
        Some(Job { input: Input::File(input), output: Output::File(output), .. }) => {
            Err(CliError::usage(format!(
                "{}: another part has the same output {}; rename one of them",
                input.display(),
                output.display()
            )))
        }
        _ => Ok(()),
    }
}

/// One of several equal shares of the parts: `2/8` is the second of eight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shard {
    number: usize,
    count: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text
            .split_once('/')
            .and_then(|(number, count)| Some((number.parse().ok()?, count.parse().ok()?)));
        match numbers {
            Some((number, count)) if (1..=count).contains(&number) => Ok(Self { number, count }),
            _ => Err(format!("{text:?} is not a share; 2/8 is the second of eight")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_a_number_and_a_count() {
        assert_eq!("2/8".parse(), Ok(Shard { number: 2, count: 8 }));
        assert_eq!("1/1".parse(), Ok(Shard { number: 1, count: 1 }));
        for wrong in ["", "2", "0/3", "4/3", "1/0", "a/b", "1/2/3", "-1/2"] {
            assert!(wrong.parse::<Shard>().unwrap_err().contains("2/8"), "{wrong}");
        }
    }
}
