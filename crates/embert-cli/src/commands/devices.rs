//! `embert devices`: what this binary can compute on, and what it lacks.

use crate::device::{Backend, Found};
use crate::error::CliError;
use crate::{output, report};

/// Runs the command.
pub(crate) fn run() -> Result<(), CliError> {
    let found = Backend::ALL.map(|backend| (backend.name(), backend.find()));
    let rows: Vec<_> = found.iter().filter_map(|(_, found)| found.as_ref().ok()).flatten().map(row).collect();
    if !rows.is_empty() {
        output::print(report::devices(rows));
    }
    for (name, found) in &found {
        if let Err(why) = found {
            output::print(format_args!("{name}: {why}"));
        }
    }
    Ok(())
}

fn row(found: &Found) -> [String; 5] {
    let Found { device, name, memory, driver, precisions } = found;
    let memory = memory.as_deref().unwrap_or("not known");
    [device, name, memory, driver, precisions].map(str::to_owned)
}
