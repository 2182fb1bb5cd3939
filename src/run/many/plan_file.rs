//! Tells what a document is, if it is not the plan that a run needs.

use std::io::Read;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::failure::Failure;
use crate::model::words::counted;

/// The kinds of plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanKind {
    /// The plan of one group.
    Group,
    /// The plan of several groups.
    Groups,
    /// The plan of a promotions file.
    Promotions,
}

/// The name of standard input, which only some commands read plans from.
pub(crate) const STANDARD_INPUT: &str = "standard input";

/// The plan that a run needs.
pub(crate) struct WantedPlan<'a> {
    pub kind: PlanKind,
    /// The next step if the document is no plan at all.
    pub make: &'a str,
}

/// What a document is the plan of.
enum PlanOf {
    Group,
    Pattern(String),
    PromotionsFile(String),
}

impl PlanKind {
    fn name(self) -> &'static str {
        match self {
            Self::Group => "the plan of one group",
            Self::Groups => "the plan of several groups",
            Self::Promotions => "the plan of a promotions file",
        }
    }
}

impl PlanOf {
    fn kind(&self) -> PlanKind {
        match self {
            Self::Group => PlanKind::Group,
            Self::Pattern(_) => PlanKind::Groups,
            Self::PromotionsFile(_) => PlanKind::Promotions,
        }
    }
}

/// Why a file is not the plan that is wanted; nothing if it is one.
pub(crate) fn not_wanted(text: impl Read, name: &str, wanted: &WantedPlan<'_>) -> Option<Failure> {
    let failure = |is: &str| Failure::new(format!("{name} is not {}: {is}", wanted.kind.name()));
    match found(text) {
        Ok(plan) if plan.kind() == wanted.kind => None,
        Ok(plan) => Some(failure(&format!("it is {}", plan.kind().name())).hint(instead(&plan, name, wanted))),
        Err(is) => Some(failure(&is).hint(wanted.make)),
    }
}

/// What to do with a plan of another kind.
fn instead(plan: &PlanOf, name: &str, WantedPlan { kind, make }: &WantedPlan<'_>) -> String {
    let make = match make.split_at_checked(1) {
        Some((first, rest)) => first.to_lowercase() + rest,
        None => String::new(),
    };
    match (plan, kind) {
        (PlanOf::PromotionsFile(file), _) => {
            let name = if name == STANDARD_INPUT { "<FILE>" } else { name };
            format!("Carry it out with `promote apply --file {file} --plan {name}`, or {make}")
        }
        (PlanOf::Pattern(pattern), PlanKind::Promotions) => {
            format!(
                "Carry it out with `promote full --group '{pattern}' --plan {name}` and the flags of its dry run, or {make}"
            )
        }
        (PlanOf::Pattern(pattern), _) => format!("Pass its pattern: `--group '{pattern}'`, or {make}"),
        (PlanOf::Group, PlanKind::Promotions) => {
            format!("Carry it out with `promote full --plan {name}` and the flags of its dry run, or {make}")
        }
        (PlanOf::Group, _) => format!("Name its group with `--group`, or {make}"),
    }
}

/// What the document is the plan of, or what it is instead.
fn found(mut text: impl Read) -> Result<PlanOf, String> {
    let mut beginning = Vec::new();
    // Ignore errors: the file was read before.
    let _ = text.by_ref().take(64).read_to_end(&mut beginning);
    let is_all = beginning.len() < 64;
    if is_all && beginning.trim_ascii().is_empty() {
        return Err("it is empty".to_owned());
    }
    match serde_json::from_reader::<_, DocumentMembers>(beginning.chain(text)) {
        Ok(members) => members.plan(),
        Err(error) if error.is_data() => Err(FOREIGN.to_owned()),
        Err(_) => Err("it is not JSON".to_owned()),
    }
}

const FOREIGN: &str = "it is JSON, but not a document of promote";

/// The members by which the documents of the verbs differ. All others are skipped: a document may exceed memory.
#[derive(Deserialize)]
struct DocumentMembers {
    schema: Option<IgnoredAny>,
    verb: Option<String>,
    outcome: Option<String>,
    error: Option<ErrorMember>,
    pattern: Option<String>,
    file: Option<String>,
    plan: Option<IgnoredAny>,
    planned: Option<IgnoredAny>,
    /// Of `promote plan` and `promote apply`.
    targets: Option<Vec<TargetMember>>,
    /// Of several groups.
    groups: Option<Vec<GroupMember>>,
    /// Of `promote doctor`.
    checks: Option<IgnoredAny>,
    /// Of `promote verify`.
    findings: Option<IgnoredAny>,
    /// Of `promote status`.
    target_caller: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ErrorMember {
    message: String,
}

#[derive(Deserialize)]
struct TargetMember {
    groups: Vec<GroupMember>,
}

#[derive(Deserialize)]
struct GroupMember {
    group: String,
    document: DocumentMember,
}

#[derive(Deserialize)]
struct DocumentMember {
    outcome: Option<String>,
    error: Option<IgnoredAny>,
    plan: Option<IgnoredAny>,
    planned: Option<IgnoredAny>,
}

impl DocumentMembers {
    fn plan(self) -> Result<PlanOf, String> {
        if self.schema.is_none() {
            return Err(FOREIGN.to_owned());
        }
        match self {
            Self { verb, targets: Some(targets), file, .. } => of_promotions(verb.as_deref(), &targets, file),
            Self { groups: Some(_), pattern: Some(pattern), plan: Some(_), .. } => Ok(PlanOf::Pattern(pattern)),
            Self { groups: Some(groups), verb, .. } => Err(of_groups(verb.as_deref().unwrap_or_default(), &groups)),
            Self { verb: Some(verb), outcome: Some(outcome), error: Some(error), .. } => {
                let ended = if outcome == "failed" { "has failed" } else { "was interrupted" };
                Err(format!("it is the document of a run of `promote {verb}` that {ended}: {}", error.message))
            }
            Self { plan: Some(_), .. } => Ok(PlanOf::Group),
            Self { outcome, planned, .. } if planned.is_some() || outcome.as_deref() == Some("planned") => {
                Err("it is the document of a dry run that made no plan: a command other than `promote full`, or a run that \
                     exited with 1"
                    .to_owned())
            }
            Self { checks: Some(_), .. } => Err("it is the document of `promote doctor`".to_owned()),
            Self { findings: Some(_), .. } => Err("it is the document of `promote verify`".to_owned()),
            Self { target_caller: Some(_), .. } => Err("it is the document of `promote status`".to_owned()),
            _ => Err("it is the document of a run without `--dry-run`".to_owned()),
        }
    }
}

fn of_promotions(verb: Option<&str>, targets: &[TargetMember], file: Option<String>) -> Result<PlanOf, String> {
    let has_plan = targets.iter().flat_map(|target| &target.groups).any(|group| group.document.plan.is_some());
    match verb == Some("plan") || has_plan {
        true => Ok(PlanOf::PromotionsFile(file.unwrap_or_default())),
        false => Err("it is the document of a run without `--dry-run`".to_owned()),
    }
}

/// What the document of several groups is that has no plan.
fn of_groups(verb: &str, groups: &[GroupMember]) -> String {
    let has_ended = |outcome: &str, group: &GroupMember| {
        group.document.error.is_some() && group.document.outcome.as_deref() == Some(outcome)
    };
    let of = |outcome: &str| -> Vec<&str> {
        let groups = groups.iter().filter(|group| has_ended(outcome, group));
        groups.map(|group| group.group.rsplit('/').next().unwrap_or(&group.group)).collect()
    };
    let (failed, interrupted) = (of("failed"), [of("interrupted"), of("not-started")].concat());
    let is_planned = |group: &GroupMember| group.document.plan.is_some() || group.document.planned.is_some();
    let is_dry_run = groups.iter().any(is_planned);
    let has_none = failed.len() + interrupted.len() == groups.len();
    if verb != "full" {
        return format!("it is the document of `promote {verb}` for several groups");
    }
    if !is_dry_run && !has_none {
        return "it is the document of a run without `--dry-run`".to_owned();
    }
    if failed.is_empty() && interrupted.is_empty() {
        return "it is the document of a dry run in which a promoted version could not be followed".to_owned();
    }
    let (names, ended) = match (failed.len(), interrupted.len()) {
        (_, 1) => (interrupted, "was interrupted"),
        (1, 0) => (failed, "has failed"),
        (_, 0) => (failed, "have failed"),
        (_, _) => (interrupted, "were interrupted"),
    };
    let more = if names.len() > LISTED { format!(" and {} more", names.len() - LISTED) } else { String::new() };
    let listed = names[..names.len().min(LISTED)].join(", ");
    format!("{} of its dry run {ended}: {listed}{more}", counted(names.len(), "group"))
}

/// The groups that a message lists.
const LISTED: usize = 20;
