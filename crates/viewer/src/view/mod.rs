//! Pages about flows.

/// What is known of the other half of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherHalf {
    /// It is recorded, and here.
    Seen,
    /// The other side is no provider of ours.
    Foreign,
    /// It was asked for, and did not come.
    Unreachable,
    /// This is the provider's own viewer: its half is the one that there is.
    Own,
}
