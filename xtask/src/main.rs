//! The project's own commands: they start processes and link none of the crates.
fn main() {}
