//! The members of a promotions file: each is a flag of `promote full`, without `--` and with underscores.

use clap::{Arg, ArgAction, Args, Command};

use crate::cli::full::PromotionArgs;

/// Flags that belong to a run and not to a target.
const OF_A_RUN: [&str; 9] =
    ["concurrency", "dry_run", "fail_if_nothing_approved", "first", "jobs", "output", "quiet", "record", "verbose"];

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    /// In `source`.
    Source,
    /// In a target.
    Target,
}

impl Section {
    /// How a file names the section.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

/// What a member's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberKind {
    /// `true` or `false`.
    Switch,
    /// One value.
    Value,
    /// A list of values.
    List,
}

/// A member that may stand in a promotions file.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub section: Section,
    pub name: String,
    pub kind: MemberKind,
    /// The flag that it sets.
    pub argument: Arg,
}

impl Member {
    fn of(argument: &Arg) -> Option<Self> {
        let id = argument.get_id().as_str();
        argument.get_long()?;
        if OF_A_RUN.contains(&id) || id == "help" {
            return None;
        }
        let (section, name) = match (id.strip_prefix("source_"), id.strip_prefix("target_")) {
            (Some(name), _) => (Section::Source, name),
            (None, Some(name)) => (Section::Target, name),
            (None, None) if matches!(id, "group" | "package_version") => (Section::Source, id),
            (None, None) => (Section::Target, id),
        };
        let kind = match argument.get_action() {
            ArgAction::SetTrue => MemberKind::Switch,
            ArgAction::Append => MemberKind::List,
            _ => MemberKind::Value,
        };
        Some(Self { section, name: name.to_owned(), kind, argument: argument.clone() })
    }

    /// The flag, with its dashes.
    pub fn flag(&self) -> String {
        format!("--{}", self.argument.get_long().unwrap_or_default())
    }

    /// The words of a command line that set the member.
    pub fn words(&self, values: &[String]) -> Vec<String> {
        match self.kind {
            MemberKind::Switch if values.iter().any(|value| value == "true") => vec![self.flag()],
            MemberKind::Switch => Vec::new(),
            MemberKind::Value | MemberKind::List => {
                values.iter().map(|value| format!("{}={value}", self.flag())).collect()
            }
        }
    }
}

/// `promote full` as a command that reads no variable: what a file does not say has its default.
pub(super) fn command() -> Command {
    let command = PromotionArgs::augment_args(Command::new("target").no_binary_name(true));
    command.mut_args(|argument| argument.env(None::<&str>))
}

/// Every member, ordered by section and name.
pub(super) fn members() -> Vec<Member> {
    let mut members: Vec<Member> = command().get_arguments().filter_map(Member::of).collect();
    members.sort_by(|one, other| (one.section, &one.name).cmp(&(other.section, &other.name)));
    members
}
