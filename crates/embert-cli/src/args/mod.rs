//! Parses the command line.

mod commands;
mod help;
mod trainer_flags;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command};

pub(crate) use commands::command;
pub(crate) use help::topic;

use crate::error::CliError;
use crate::near::nearest;
use crate::output;

/// Converts the arguments to UTF-8. Fails if one is not UTF-8.
pub(crate) fn text(arguments: impl Iterator<Item = OsString>) -> Result<Vec<String>, CliError> {
    let text = |argument: OsString| {
        argument.into_string().map_err(|argument| {
            CliError::usage(format!(
                "the argument {argument:?} is not UTF-8; rename the file, or use a symbolic link with a name in UTF-8"
            ))
        })
    };
    arguments.map(text).collect()
}

/// Replaces hyphens in flags by underscores: `--learning-rate` is `--learning_rate`. Texts after `--` stay.
fn with_underscores(arguments: Vec<String>) -> Vec<String> {
    let num_before = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let with_underscores = |(index, argument)| if index < num_before { of_flag(argument) } else { argument };
    arguments.into_iter().enumerate().map(with_underscores).collect()
}

fn of_flag(argument: String) -> String {
    let Some(flag) = argument.strip_prefix("--").filter(|flag| !flag.is_empty()) else { return argument };
    match flag.split_once('=') {
        Some((name, value)) => format!("--{}={value}", name.replace('-', "_")),
        None => format!("--{}", flag.replace('-', "_")),
    }
}

/// Parses the command line. Exits if clap prints the help, the version or an error.
///
/// # Errors
/// An unknown flag, with a suggestion if a known flag is similar.
pub(crate) fn parse(arguments: Vec<String>) -> Result<ArgMatches, CliError> {
    let arguments = with_underscores(arguments);
    let name = arguments.get(1).cloned().unwrap_or_default();
    let arguments = if ["train", "evaluate", "check"].contains(&name.as_str()) {
        without_trainer_flags(arguments)?
    } else {
        arguments
    };
    command().try_get_matches_from(arguments).map_err(|error| match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if error.kind() == ErrorKind::UnknownArgument => {
            unknown_flag(flag, &name)
        }
        _ => error.exit(),
    })
}

fn without_trainer_flags(arguments: Vec<String>) -> Result<Vec<String>, CliError> {
    let (kept, taken) = trainer_flags::take(arguments)?;
    if !taken.is_empty() {
        output::print_stderr(format_args!("note: accepted without effect: {}", taken.join(", ")));
    }
    Ok(kept)
}

fn unknown_flag(flag: &str, subcommand: &str) -> CliError {
    let command = command();
    let flags = command.find_subcommand(subcommand).into_iter().flat_map(Command::get_arguments);
    let names =
        flags.flat_map(|arg| arg.get_long_and_visible_aliases().unwrap_or_default()).collect::<Vec<_>>();
    let name = flag.trim_start_matches('-').split('=').next().unwrap_or_default();
    let advice = match nearest(name, names.iter().copied()) {
        Some(known) => format!("did you mean --{known}?"),
        None => format!("`embert {subcommand} --help` lists the flags"),
    };
    CliError::usage(format!("unknown flag {flag}; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_flags_get_underscores() {
        let given = "predict --text-pair=a-b --top-k 3 a-b -- --a well-made --film-noir=x-y";
        let expected = "predict --text_pair=a-b --top_k 3 a-b -- --a well-made --film-noir=x-y";
        let arguments = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(with_underscores(arguments(given)), arguments(expected));
    }
}
