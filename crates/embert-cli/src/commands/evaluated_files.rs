//! The files that `evaluate` reads. Its output must not be one of them.

use std::path::Path;

use embert_data::{input_parts, would_read};

use super::output_file::{is_inside, is_same};
use crate::error::CliError;
use crate::local_path;
use crate::recipe::DataSection;

/// Fails if the output is one of the evaluated files, or if a later evaluation would read it.
///
/// `are_named` is true if flags name the rows, so that no training rows are read.
pub(super) fn refuse(data: &DataSection, are_named: bool, output: &str) -> Result<(), CliError> {
    sources(data, are_named).try_for_each(|source| refuse_source(source, output))
}

/// Returns the files, directories and globs that may be read. Names on the hub are included; they are not paths.
fn sources(data: &DataSection, are_named: bool) -> impl Iterator<Item = &String> {
    let files = [&data.validation_file, &data.test_file, &data.train_file];
    let reads_dataset = data.train_file.is_none() && !(are_named && data.eval_file().is_some());
    files.into_iter().flatten().chain(Some(&data.dataset_name).filter(|_| reads_dataset))
}

fn refuse_source(source: &str, output: &str) -> Result<(), CliError> {
    let (path, output_path) = (Path::new(source), Path::new(output));
    if local_path::is_missing(source) {
        return Ok(());
    }
    let parts = input_parts(path).unwrap_or_default();
    if is_same(path, output_path) || parts.iter().any(|part| is_same(part, output_path)) {
        return Err(CliError::usage(format!(
            "--output {output}: this file is one of the evaluated files; name another"
        )));
    }
    let is_read = || would_read(path, &[local_path::resolved(output_path)]).unwrap_or(false);
    if is_inside(output_path, path) || is_read() {
        return Err(CliError::usage(format!(
            "--output {output} is in {source}, so a later evaluation would read the predictions as texts; name another \
             directory"
        )));
    }
    Ok(())
}
