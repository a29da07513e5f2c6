//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod devices;
mod earlier_output;
pub(crate) mod evaluate;
mod evaluated_files;
pub(crate) mod merge;
mod output_file;
pub(crate) mod predict;
pub(crate) mod push;
pub(crate) mod shell;
pub(crate) mod train;
