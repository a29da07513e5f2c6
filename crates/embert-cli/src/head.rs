//! Which classification head training begins with.

/// The head that training begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// The one of the checkpoint, if it has one.
    Kept,
    /// A new one, though the checkpoint has one: its labels are others.
    New,
}
