//! Runs the targets of a promotions file, several groups at a time.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::document::{OfTarget, PromotionsDocument};
use super::file::FileTarget;
use super::{Promotions, ReviewedFile};
use crate::cli::arguments::Selected;
use crate::cli::exit::Exit;
use crate::cli::failed::FailedRun;
use crate::cli::many::{of_group, pass_over};
use crate::cli::of_groups::{Ended, GroupsSummary, OfGroup};
use crate::cli::printer::failed;
use crate::model::arn::GroupRef;
use crate::model::package::rfc3339;
use crate::record::{SCHEMA, Tool};
use crate::run::many::{FoundGroups, GroupPair, NamedTarget, TargetGroups, find_for_targets, for_each_pair};
use crate::run::{Context, RunReport, full, full_as_planned};

/// The result of a group, and how it ends.
type Ending = (OfGroup<RunReport>, Exit);

impl Promotions<'_> {
    /// Runs every target, and prints one document for all of them.
    ///
    /// # Errors
    /// Two targets have one target group, or the document cannot be written. The failure of a target is no error.
    pub(super) async fn run(&self, base: &Context) -> Result<Exit> {
        let named = self.targets.iter().map(|target| self.named(target, base)).collect::<Result<Vec<_>>>()?;
        let found = find_for_targets(&named, self.jobs).await?;
        let found: Vec<Result<FoundGroups>> =
            named.iter().zip(found).map(|(one, found)| self.as_planned(one, found)).collect();
        let pairs = found.iter().enumerate().flat_map(|(at, found)| {
            let groups = found.as_ref().map(|found| found.groups.as_slice()).unwrap_or_default();
            groups.iter().map(move |group| (at, group.clone()))
        });
        let contexts = |at: usize| &named[at].context;
        let results =
            for_each_pair(base, contexts, pairs.collect(), self.jobs, async |at, context, group: GroupPair| {
                let target = &self.targets[at];
                let ended = self.promote(target, &context, &group).await;
                let name = target.label(&group);
                of_group(self.running, (&name, Some(&target.name)), group, ended, |report| target.full.exit(report))
            })
            .await;
        self.running.terminal.stop();
        let document = self.document(found, results);
        let exit = document.1;
        self.running.printer.document(&document.0)?;
        Ok(exit)
    }

    fn named(&self, target: &FileTarget, base: &Context) -> Result<NamedTarget> {
        let FileTarget { name, full } = target;
        let groups = match full.groups().with_context(|| name.clone())? {
            Selected::One(group) => TargetGroups::One(group.clone(), full.target_of(group)?),
            Selected::Many(selection) => TargetGroups::Matching(selection),
        };
        let context = base.of_target(name, full.access()).with_record_secrets(full.record_secrets());
        Ok(NamedTarget { name: name.clone(), context, groups })
    }

    /// Refuses other groups than the planned ones.
    fn as_planned(&self, target: &NamedTarget, found: Result<FoundGroups>) -> Result<FoundGroups> {
        let found = found?;
        if let Some(reviewed) = &self.reviewed {
            reviewed.refuse_other_groups(&target.name, found.groups.iter().map(|pair| &pair.source))?;
        }
        Ok(found)
    }

    async fn promote(&self, target: &FileTarget, context: &Context, group: &GroupPair) -> Result<RunReport> {
        let mut settings = target.full.settings(&GroupRef::Arn(group.source.clone()))?;
        settings.dry_run = self.dry_run;
        let plan = self.reviewed.as_ref().and_then(|reviewed: &ReviewedFile| reviewed.of(&target.name, &group.source));
        match plan {
            Some(plan) => full_as_planned(context, &settings, plan).await,
            None => full(context, &settings).await,
        }
    }

    fn document(&self, found: Vec<Result<FoundGroups>>, results: Vec<(usize, Ending)>) -> (PromotionsDocument, Exit) {
        let mut by_target: Vec<Vec<Ending>> = self.targets.iter().map(|_| Vec::new()).collect();
        for (at, ending) in results {
            by_target[at].push(ending);
        }
        let (mut targets, mut worst) = (Vec::new(), Exit::Done);
        for ((target, found), endings) in self.targets.iter().zip(found).zip(by_target) {
            let (of_target, exit) = self.of_target(target, found, endings);
            worst = worst.worst(exit);
            targets.push(of_target);
        }
        let verb = self.running.verb;
        let summary = summary(&targets, worst);
        let ended = rfc3339(&std::time::SystemTime::now().into());
        let (file, tool, form) = (self.file.clone(), Tool::default(), self.form);
        (PromotionsDocument { schema: SCHEMA, verb, file, targets, summary, tool, ended, form }, worst)
    }

    fn of_target(&self, target: &FileTarget, found: Result<FoundGroups>, mut endings: Vec<Ending>) -> (OfTarget, Exit) {
        let name = target.name.clone();
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                failed(&error);
                let error = FailedRun::of(self.running.verb, &error, &self.running.terminal.known());
                let exit_code = Exit::Failed.code();
                let of_target =
                    OfTarget { name, exit_code, groups: Vec::new(), passed_over: Vec::new(), error: Some(error) };
                return (of_target, Exit::Failed);
            }
        };
        pass_over(&found.passed_over);
        endings.sort_by_key(|(group, _)| group.group.name().canonical());
        let worst = endings.iter().fold(Exit::Done, |worst, (_, exit)| worst.worst(*exit));
        let groups = endings.into_iter().map(|(group, _)| group).collect();
        (OfTarget { name, exit_code: worst.code(), groups, passed_over: found.passed_over, error: None }, worst)
    }
}

impl FileTarget {
    /// How lines name a group of the target.
    fn label(&self, group: &GroupPair) -> String {
        format!("{}: {}", self.name, group.source.name())
    }
}

fn summary(targets: &[OfTarget], worst: Exit) -> GroupsSummary {
    let mut outcomes = BTreeMap::new();
    for target in targets {
        for group in &target.groups {
            *outcomes.entry(group.result.as_ref().map_or("failed".to_owned(), Ended::outcome)).or_default() += 1;
        }
    }
    let groups = targets.iter().map(|target| target.groups.len()).sum();
    GroupsSummary { groups, outcomes, exit_code: worst.code() }
}
