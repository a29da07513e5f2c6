//! `embert devices`: lists the devices of each backend.

use comfy_table::{Table, presets};

use crate::device::{Backend, DeviceInfo};
use crate::error::CliError;
use crate::output;
use crate::visible::visible;

/// Runs the command.
pub(crate) fn run() -> Result<(), CliError> {
    let found = Backend::ALL.map(|backend| (backend.name(), backend.find()));
    let rows: Vec<_> = found.iter().filter_map(|(_, found)| found.as_ref().ok()).flatten().map(row).collect();
    if !rows.is_empty() {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_header(["device", "name", "memory", "driver", "precisions"]);
        output::print(table.add_rows(rows));
    }
    for (name, found) in &found {
        if let Err(why) = found {
            output::print(format_args!("{name}: {why}"));
        }
    }
    Ok(())
}

fn row(found: &DeviceInfo) -> [String; 5] {
    let DeviceInfo { device, name, memory, driver, precisions } = found;
    let memory = memory.as_deref().unwrap_or("not known");
    [device, name, memory, driver, precisions].map(visible)
}
