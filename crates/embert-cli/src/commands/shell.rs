//! `embert completions`, `embert man` and `embert help`: texts about the command line.

use clap::{ArgMatches, Command};
use clap_complete::Shell;

use crate::args::{command, topic};
use crate::error::CliError;
use crate::output;

/// Prints the completion script of a shell.
pub(crate) fn completions(matches: &ArgMatches) -> Result<(), CliError> {
    let shell = *matches.get_one::<Shell>("shell").expect("SHELL is required");
    let mut script = vec![];
    clap_complete::generate(shell, &mut command(), "embert", &mut script);
    output::print(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}

/// Prints a manual page.
pub(crate) fn man(matches: &ArgMatches) -> Result<(), CliError> {
    let command = match matches.get_one::<String>("command") {
        Some(name) => find(name)?.display_name(format!("embert-{name}")),
        None => command(),
    };
    let mut page = vec![];
    clap_mangen::Man::new(command).render(&mut page).map_err(CliError::failed)?;
    output::print(String::from_utf8_lossy(&page).trim_end());
    Ok(())
}

/// Prints the help of a command or a topic.
pub(crate) fn help(matches: &ArgMatches) -> Result<(), CliError> {
    match matches.get_one::<String>("topic") {
        None => output::print(command().render_long_help()),
        Some(name) => match topic(name) {
            Some(text) => output::print(text),
            None => output::print(find(name)?.render_long_help()),
        },
    }
    Ok(())
}

/// Returns a command by name.
fn find(name: &str) -> Result<Command, CliError> {
    let mut command = command();
    command.build();
    let unknown =
        || CliError::usage(format!("{name}: no such command or topic; `embert --help` lists the commands"));
    command.find_subcommand(name).cloned().ok_or_else(unknown)
}
