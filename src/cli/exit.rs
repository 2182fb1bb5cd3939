//! Exit codes, for scripts and pipelines.

use std::process::ExitCode;

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Success, including runs that had nothing to do.
    Done,
    /// Failure. Incomplete versions are never Approved.
    Failed,
    /// The arguments are wrong.
    Usage,
    /// Promoted, but something is unconfirmed.
    Unconfirmed,
    /// `find-latest`: no version is approved.
    NothingApproved,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

/// The table for `--help`.
pub const HELP: &str = "\
Exit codes:
  0    success (full: also if no version is approved or nothing had to be done)
  1    failure (verify: something changed or is missing)
  2    wrong arguments
  3    promoted, but unconfirmed (verify: something is unverifiable)
  4    no version is approved (find-latest)
  130  interrupted";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Unconfirmed => 3,
            Exit::NothingApproved => 4,
            Exit::Interrupted => 130,
        })
    }
}
