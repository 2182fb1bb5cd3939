//! Exit codes, for scripts and pipelines.

use std::process::ExitCode;

use serde::Serialize;

use crate::run::RunReport;
use crate::run::promotions::INTERRUPTED;

/// How a verb ended, from the best to the worst. Documents have the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "i32")]
pub enum Exit {
    /// Success, including runs that had nothing to do.
    Done,
    /// No version is approved.
    NothingApproved,
    /// Promoted, but something is unconfirmed. `doctor`: something could not be tested.
    Unconfirmed,
    /// `verify`: something was changed or is missing.
    Changed,
    /// The verb could not do its work. Incomplete versions are never Approved.
    Failed,
    /// The arguments are wrong.
    Usage,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

impl Exit {
    /// Every way to end, in the order of the codes.
    const ALL: [Self; 7] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Unconfirmed,
        Self::NothingApproved,
        Self::Changed,
        Self::Interrupted,
    ];

    /// The code.
    pub fn code(self) -> i32 {
        self.row().0.into()
    }

    /// How a run ends.
    pub fn of(report: &RunReport) -> Self {
        match (report.failures.is_empty(), report.unconfirmed()) {
            (false, _) => Self::Failed,
            (true, Some(_)) => Self::Unconfirmed,
            (true, None) => Self::Done,
        }
    }

    /// The worse of two ends. From the best to the worst: 0, 4, 3, 5, 1, 2, 130.
    pub fn worst(self, other: Self) -> Self {
        self.max(other)
    }

    /// The code, and what it means.
    const fn row(self) -> (u8, &'static str) {
        match self {
            Self::Done => (0, "success (full: also if no version is approved or nothing had to be done)"),
            Self::Failed => {
                (1, "failure (verify: the version could not be checked; doctor: something is denied or missing)")
            }
            Self::Usage => (2, "wrong arguments"),
            Self::Unconfirmed => (
                3,
                "promoted, but unconfirmed (verify: something is unverifiable; doctor: something is not testable; \
                     rollback: a rejection is not recorded, or a newer version that others registered is Approved)",
            ),
            Self::NothingApproved => (4, "no version is approved (find-latest; full with --fail-if-nothing-approved)"),
            Self::Changed => (5, "something was changed or is missing (verify)"),
            Self::Interrupted => (INTERRUPTED, "interrupted"),
        }
    }
}

/// The table for `--help`.
pub(super) fn help() -> String {
    let rows = Exit::ALL.map(Exit::row).map(|(code, meaning)| format!("\n  {code:<5}{meaning}"));
    format!("Exit codes:{}", rows.concat())
}

impl From<Exit> for i32 {
    fn from(exit: Exit) -> Self {
        exit.code()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.row().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_of_two_ends_is_the_later_one_of_the_documented_order() {
        let order = [0, 4, 3, 5, 1, 2, 130];
        let exit = |code| Exit::ALL.into_iter().find(|exit| exit.code() == code).expect("an exit code");
        for (at, better) in order.into_iter().enumerate() {
            for worse in &order[at..] {
                assert_eq!(exit(better).worst(exit(*worse)).code(), *worse);
                assert_eq!(exit(*worse).worst(exit(better)).code(), *worse);
            }
        }
    }
}
