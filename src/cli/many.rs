//! Runs a verb for every group of a pattern, and prints one document for all of them.

use anyhow::Result;

use super::exit::Exit;
use super::failed::FailedRun;
use super::group_runs::GroupRuns;
use super::known::Known;
use super::of_groups::{Ended, GroupsSummary, ManyDocument, OfGroup, sorted};
use super::printer::{failed_in, say};
use super::running::Running;
use crate::model::arn::GroupRef;
use crate::model::package::rfc3339;
use crate::record::{SCHEMA, Tool};
use crate::run::Context;
use crate::run::doctor::{Mend, merged_policies};
use crate::run::many::{
    FoundGroups, GroupPair, GroupSelection, PassedOver, PlanDigest, RefusedGroup, find_groups, for_each_group,
};

/// Runs a verb for every group of a selection. `exit` is how the verb ends for a group.
///
/// # Errors
/// The groups cannot be found, or the document cannot be written. The failure of a group is no error.
pub(super) async fn run<T: Ended>(
    running: &Running,
    context: &Context,
    selection: &GroupSelection,
    verb: impl AsyncFn(Context, GroupRef) -> Result<T>,
    exit: impl Fn(&T) -> Exit,
) -> Result<Exit> {
    let found = find_groups(context, selection).await?;
    run_found(running, context, selection, found, verb, exit).await
}

/// As [`run`], for groups that were found before.
///
/// # Errors
/// The document cannot be written.
pub(super) async fn run_found<T: Ended>(
    running: &Running,
    context: &Context,
    selection: &GroupSelection,
    found: FoundGroups,
    verb: impl AsyncFn(Context, GroupRef) -> Result<T>,
    exit: impl Fn(&T) -> Exit,
) -> Result<Exit> {
    let (document, exit) = document(running, context, selection, found, verb, exit).await;
    running.printer.document(&document)?;
    Ok(exit)
}

/// Runs a verb for groups that were found, and returns the document of all of them. An interruption prints the document
/// of the groups that have ended by then.
pub(super) async fn document<T: Ended>(
    running: &Running,
    context: &Context,
    selection: &GroupSelection,
    FoundGroups { groups, refused, passed_over }: FoundGroups,
    verb: impl AsyncFn(Context, GroupRef) -> Result<T>,
    exit: impl Fn(&T) -> Exit,
) -> (ManyDocument<T>, Exit) {
    pass_over(&passed_over);
    let is_first = |group: &GroupPair| selection.first.as_ref().is_none_or(|first| first.is(&group.source));
    let mut all = groups.iter().chain(refused.iter().map(|refused| &refused.pair));
    if let Some(first) = selection.first.as_ref().filter(|_| !all.any(is_first)) {
        say(&format!("warning: {} of `--first` is not among the groups", first.name()));
    }
    let outline = ManyOutline { verb: running.verb, pattern: selection.pattern.to_string(), passed_over };
    let runs = GroupRuns::new(running, None, groups.iter().map(|group| (0, group.clone())).collect());
    for RefusedGroup { pair, error } in refused {
        let name = pair.source.name().to_string();
        runs.add(0, of_group(running, (&name, None), pair, Err(error), &exit));
    }
    let run = async |context, group: GroupPair| {
        runs.start(0, &group.source);
        let result = verb(context, GroupRef::Arn(group.source.clone())).await;
        let name = group.source.name().to_string();
        runs.end(0, of_group(running, (&name, None), group, result, &exit));
    };
    let all = async { drop(for_each_group(context, &groups, selection.jobs, run).await) };
    runs.document(running, move |results| outline.document(results), all).await
}

/// What the document has besides the groups that run.
#[derive(Debug, Clone)]
struct ManyOutline {
    verb: &'static str,
    pattern: String,
    passed_over: Vec<PassedOver>,
}

impl ManyOutline {
    fn document<T: Ended>(self, results: Vec<(usize, OfGroup<T>)>) -> (ManyDocument<T>, Exit) {
        let mut groups: Vec<OfGroup<T>> = results.into_iter().map(|(_, group)| group).collect();
        let worst = sorted(&mut groups);
        let reports = groups.iter_mut().filter_map(|group| group.result.as_mut().ok());
        let policies: Vec<Mend> = reports.flat_map(T::take_policies).collect();
        let document = ManyDocument {
            schema: SCHEMA,
            verb: self.verb,
            pattern: self.pattern,
            plan: plan(&groups),
            reviewed_plan: reviewed_plan(&groups),
            policies: merged_policies(policies),
            summary: GroupsSummary::of(groups.iter(), worst),
            groups,
            passed_over: self.passed_over,
            tool: Tool::default(),
            ended: rfc3339(&std::time::SystemTime::now().into()),
        };
        (document, worst)
    }
}

/// The digest over the plans of all groups that have one. Nothing if the dry run was interrupted, or if every group has
/// failed.
fn plan<T: Ended>(groups: &[OfGroup<T>]) -> Option<PlanDigest> {
    if groups.iter().any(|group| group.exit_code == Exit::Interrupted) {
        return None;
    }
    let plans = || groups.iter().map(OfGroup::plan);
    plans().any(|(_, digest)| digest.is_some()).then(|| PlanDigest::of(plans()))
}

/// The reviewed plan of all groups. A group that has failed does not name it.
fn reviewed_plan<T: Ended>(groups: &[OfGroup<T>]) -> Option<PlanDigest> {
    groups.iter().find_map(OfGroup::reviewed_plan)
}

/// Tells which groups are passed over.
pub(super) fn pass_over(groups: &[PassedOver]) {
    for PassedOver { group, status } in groups {
        say(&format!("warning: {group} is {status}, and was passed over"));
    }
}

/// The result of a group, after it was told. `name` is how lines name the group, `target` the target if there are
/// several.
pub(super) fn of_group<T: Ended>(
    running: &Running,
    (name, target): (&str, Option<&str>),
    group: GroupPair,
    result: Result<T>,
    exit: impl Fn(&T) -> Exit,
) -> OfGroup<T> {
    let GroupPair { source, target: target_group } = group;
    let (result, exit_code) = match result {
        Ok(ended) => {
            let (message, failures) = ended.remarks();
            message.iter().for_each(|message| say(&format!("{name}: {message}")));
            failures.iter().for_each(|failure| failed_in(name, failure, &Known::default()));
            if !T::READS {
                running.terminal.tell(&format!("{name}: {}{}", ended.headline(), versions(&ended)));
            }
            let exit_code = exit(&ended);
            (Ok(ended), exit_code)
        }
        Err(error) => {
            let known = running.terminal.known_of(target, &source);
            failed_in(name, &error, &known);
            (Err(FailedRun::of(running.verb, &error, &known)), Exit::Failed)
        }
    };
    OfGroup { group: source, target_group, exit_code, result }
}

fn versions(ended: &impl Ended) -> String {
    match ended.versions() {
        (Some(source), Some(target)) => format!(" (version {source} → version {target})"),
        (Some(source), None) => format!(" (version {source})"),
        (None, _) => String::new(),
    }
}
