//! How much a run prints: `--verbose` and `--quiet`.

/// What a run prints to standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// What takes long, and what was done.
    #[default]
    Normal,
    /// Every step.
    Verbose,
}
