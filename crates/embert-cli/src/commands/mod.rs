//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod devices;
pub(crate) mod evaluate;
pub(crate) mod merge;
pub(crate) mod predict;
pub(crate) mod push;
pub(crate) mod shell;
pub(crate) mod train;
