//! Exit codes: how a verb ended goes in, a number comes out. Scripts and pipelines read them.

use std::process::ExitCode;

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or done before.
    Done,
    /// Something failed; nothing half-promoted can be deployed.
    Failed,
    /// The arguments are wrong.
    Usage,
    /// Promoted, but something could not be confirmed.
    Inconclusive,
    /// `find-latest`: no version is approved.
    NothingApproved,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

/// The table for `--help`.
pub const HELP: &str = "\
Exit codes:
  0    done, or done before (full: also when no version is approved)
  1    failed; the message says what and what to do (verify: something is changed or missing)
  2    wrong arguments
  3    promoted, but something could not be confirmed (verify: something is unverifiable)
  4    find-latest: no version is approved
  130  interrupted";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::NothingApproved => 4,
            Exit::Interrupted => 130,
        })
    }
}
