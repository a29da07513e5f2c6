//! Every benchmark of embert.
fn main() {}
