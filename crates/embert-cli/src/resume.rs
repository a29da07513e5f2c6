//! `--resume_from_checkpoint`: finds the checkpoint and compares its recipe.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use embert_train::{Checkpoint, RunDirectory, TrainError};
use toml::{Table, Value};

use crate::error::CliError;
use crate::recipe::Recipe;
use crate::{output, recipe};

/// Keys that may differ from the checkpoint's recipe: the length of the run, and what it saves.
const MAY_DIFFER: [&str; 10] = [
    "train.num_train_epochs",
    "train.max_steps",
    "train.logging_steps",
    "train.save_strategy",
    "train.save_steps",
    "train.save_total_limit",
    "output.output_dir",
    "output.overwrite_output_dir",
    "output.on_save_error",
    "output.do_eval",
];

/// Returns the recipe of the command line and the checkpoint to resume from.
///
/// Without `--recipe`, flags override the checkpoint's recipe.
pub(crate) fn resolve(matches: &ArgMatches) -> Result<(Recipe, Option<Checkpoint>), CliError> {
    let recipe = recipe::resolve(matches)?;
    let Some(named) = matches.get_one::<String>("resume_from_checkpoint") else { return Ok((recipe, None)) };
    let Some(checkpoint) = find(named, &recipe.output.output_dir)? else {
        require_start(&recipe.output.output_dir, matches)?;
        output::print(format_args!(
            "there is no checkpoint of {} yet: training begins",
            recipe.output.output_dir
        ));
        return Ok((recipe, None));
    };
    let saved: Recipe = parse(&checkpoint)?;
    let wanted = recipe::resolve_over(saved.clone(), &output_dir(&checkpoint), matches)?;
    let recipe = with_found_batch_size(wanted, &saved);
    refuse_differences(&checkpoint, &saved, &recipe)?;
    Ok((recipe, Some(checkpoint)))
}

/// Fails if the command line has nothing to resume and nothing to start.
fn require_start(output_dir: &str, matches: &ArgMatches) -> Result<(), CliError> {
    if RunDirectory::is_finished(Path::new(output_dir)) {
        return Err(CliError::usage(format!(
            "{output_dir} is a finished run without checkpoints: there is nothing to resume; --model {output_dir} with \
             another --output_dir trains its model further"
        )));
    }
    if recipe::names_run(matches) {
        Ok(())
    } else {
        Err(CliError::usage(format!(
            "there is no checkpoint of {output_dir}, and no --recipe, --dataset or --train_file to start a run with"
        )))
    }
}

/// Returns the checkpoint to resume from; `None` for `last` if the run has no checkpoint yet.
fn find(named: &str, output_dir: &str) -> Result<Option<Checkpoint>, CliError> {
    if named == "last" {
        let partial_dir = RunDirectory::repair(Path::new(output_dir))?;
        return newest(&[partial_dir, output_dir.into()]);
    }
    let path = Path::new(named);
    let unfinished = in_unfinished_run(path);
    let path = if path.exists() { path } else { &unfinished };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.starts_with("checkpoint-") {
        return Ok(Some(Checkpoint::open(path)?));
    }
    let run_dir = without_partial(Path::new(named));
    let partial_dir = RunDirectory::repair(&run_dir)?;
    newest(&[partial_dir, run_dir])?.map(Some).ok_or_else(|| {
        CliError::usage(format!(
            "{named} holds no checkpoint; leave --resume_from_checkpoint out to start a new run"
        ))
    })
}

/// Returns the path in the unfinished run: `runs/x.partial/checkpoint-9` for `runs/x/checkpoint-9`.
fn in_unfinished_run(checkpoint: &Path) -> PathBuf {
    let Some((run_dir, name)) = checkpoint.parent().zip(checkpoint.file_name()) else {
        return checkpoint.into();
    };
    let Some(run) = run_dir.file_name() else { return checkpoint.into() };
    let mut partial = run.to_owned();
    partial.push(".partial");
    run_dir.with_file_name(partial).join(name)
}

/// Returns the newest complete checkpoint of the first directory that has one. Warns about damaged ones.
fn newest(run_dirs: &[PathBuf]) -> Result<Option<Checkpoint>, CliError> {
    let mut skipped: Vec<TrainError> = vec![];
    for run_dir in run_dirs {
        let (found, damaged) = Checkpoint::newest(run_dir)?;
        skipped.extend(damaged);
        if found.is_some() {
            skipped.iter().for_each(|error| output::warn(format_args!("checkpoint skipped: {error}")));
            return Ok(found);
        }
    }
    if skipped.is_empty() {
        Ok(None)
    } else {
        let reasons = skipped.iter().map(TrainError::to_string).collect::<Vec<_>>().join("; ");
        Err(CliError::failed(format!("no checkpoint is complete: {reasons}")))
    }
}

fn parse(checkpoint: &Checkpoint) -> Result<Recipe, CliError> {
    toml::from_str(checkpoint.recipe()).map_err(|error| {
        let error = error.to_string().trim().replace('\n', "; ");
        CliError::failed(format!("{}: its recipe: {error}", checkpoint.path().display()))
    })
}

/// Returns the output directory of a checkpoint's run.
fn output_dir(checkpoint: &Checkpoint) -> String {
    without_partial(checkpoint.run_dir()).to_string_lossy().into_owned()
}

/// Returns `OUT` for `OUT.partial` and `OUT.partial/`, and any other path as it is.
fn without_partial(run_dir: &Path) -> PathBuf {
    let name = run_dir.file_name().and_then(|name| name.to_str());
    match name.and_then(|name| name.strip_suffix(".partial")).filter(|name| !name.is_empty()) {
        Some(name) => run_dir.with_file_name(name),
        None => run_dir.to_owned(),
    }
}

/// With `auto_find_batch_size`, keeps the batch size that the run found at its start.
fn with_found_batch_size(mut wanted: Recipe, saved: &Recipe) -> Recipe {
    let rows =
        |recipe: &Recipe| recipe.train.per_device_train_batch_size * recipe.train.gradient_accumulation_steps;
    if wanted.train.auto_find_batch_size && rows(&wanted) == rows(saved) {
        wanted.train.auto_find_batch_size = saved.train.auto_find_batch_size;
        wanted.train.per_device_train_batch_size = saved.train.per_device_train_batch_size;
        wanted.train.gradient_accumulation_steps = saved.train.gradient_accumulation_steps;
    }
    wanted
}

fn refuse_differences(checkpoint: &Checkpoint, saved: &Recipe, wanted: &Recipe) -> Result<(), CliError> {
    let [saved, wanted] = [saved, wanted].map(|recipe| Table::try_from(recipe).expect("a recipe is TOML"));
    let mut paths = vec![];
    recipe::leaves(&saved, "", &mut paths);
    recipe::leaves(&wanted, "", &mut paths);
    paths.sort();
    paths.dedup();
    let differs =
        |path: &&String| !MAY_DIFFER.contains(&path.as_str()) && value(&saved, path) != value(&wanted, path);
    let differences = paths.iter().filter(differs).map(|path| {
        format!("{path} is {} there and {} here", shown(value(&saved, path)), shown(value(&wanted, path)))
    });
    let differences = differences.collect::<Vec<_>>();
    if differences.is_empty() {
        Ok(())
    } else {
        Err(CliError::usage(format!(
            "{} has another recipe: {}; leave these flags out to resume, or start a run with another --output_dir",
            checkpoint.path().display(),
            differences.join("; ")
        )))
    }
}

fn value<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let (section, key) = path.split_once('.')?;
    let section = table.get(section)?.as_table()?;
    section.get(key).or_else(|| value(section, key))
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("not given".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_run_is_named_with_or_without_its_suffix() {
        for (named, expected) in [
            ("run", "run"),
            ("run/", "run"),
            ("runs/x.partial", "runs/x"),
            ("runs/x.partial/", "runs/x"),
            ("runs/x.partial/.", "runs/x"),
            ("../x.partial//", "../x"),
            ("runs.partial/x", "runs.partial/x"),
            (".partial", ".partial"),
            ("..", ".."),
        ] {
            assert_eq!(without_partial(Path::new(named)), Path::new(expected), "{named}");
        }
    }
}
