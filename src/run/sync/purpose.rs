//! What artifacts are looked at for.

/// Why artifacts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Purpose {
    /// The version is to be approved.
    Approval,
    /// The run says whether they are there.
    Report,
    /// A record is to be signed that an earlier run has left unsigned.
    Signature,
}
