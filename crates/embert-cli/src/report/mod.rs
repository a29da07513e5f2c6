//! Formats numbers and tables for users.

mod evaluation;
mod lengths;
mod multi_label;
mod regression;
mod run;
mod samples;

use comfy_table::{Cell, CellAlignment, Table, presets};

pub(crate) use evaluation::evaluation;
pub(crate) use lengths::{lengths, padding, word_lengths};
pub(crate) use run::{best_model, epochs, log_line, plan, summary, undefined_metric};
pub(crate) use samples::{Sample, samples};

/// The largest number of classes in a table.
const MAX_CLASSES: usize = 30;

/// Formats a number with commas between thousands.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

/// Formats a number of bytes in MiB or GiB.
pub(crate) fn size(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    if bytes >= GIB {
        format!("{:.1} GiB", bytes as f64 / GIB as f64)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

/// Formats a metric.
fn number(value: Option<f64>) -> String {
    value.map_or("undefined".into(), |value| format!("{value:.4}"))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// An empty table with a right-aligned header.
fn plain(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(header.iter().map(|name| Cell::new(name).set_alignment(CellAlignment::Right)));
    table
}

fn add(table: &mut Table, row: Vec<String>) {
    table.add_row(row.into_iter().map(|cell| Cell::new(cell).set_alignment(CellAlignment::Right)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1000, 109_483_778].map(grouped), ["0", "999", "1,000", "109,483,778"]);
    }
}
