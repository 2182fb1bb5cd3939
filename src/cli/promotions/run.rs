//! Runs the targets of a promotions file, several groups at a time.

use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::Promotions;
use super::file::FileTarget;
use super::outline::Outline;
use crate::cli::arguments::Selected;
use crate::cli::exit::Exit;
use crate::cli::failed::FailedRun;
use crate::cli::group_runs::{Ending, GroupRuns};
use crate::cli::many::{of_group, pass_over};
use crate::cli::printer::{failed, warn};
use crate::model::arn::GroupRef;
use crate::run::many::{
    FoundGroups, GroupPair, NamedTarget, RefusedGroup, TargetGroups, find_for_targets, for_each_pair,
};
use crate::run::{Context, RunReport, full, full_as_planned};

impl Promotions<'_> {
    /// Runs every target, and prints one document for all of them.
    ///
    /// # Errors
    /// Two targets have one target group, or the document cannot be written. The failure of a target is no error.
    pub(super) async fn run(&self, base: &Context) -> Result<Exit> {
        let named = self.targets.iter().map(|target| self.named(target, base)).collect::<Result<Vec<_>>>()?;
        let found = find_for_targets(&named, self.jobs).await?;
        let mut outline = Outline::of(self);
        let (mut pairs, mut refused) = (Vec::new(), Vec::new());
        for (at, (target, found)) in named.iter().zip(found).enumerate() {
            match self.as_planned(target, found) {
                Ok(found) => {
                    pass_over(&found.passed_over);
                    pairs.extend(found.groups.into_iter().map(|group| (at, group)));
                    refused.extend(found.refused.into_iter().map(|group| (at, group)));
                    outline.targets[at].passed_over = found.passed_over;
                }
                Err(error) => {
                    failed(&error, &self.running.terminal.known());
                    outline.targets[at].error =
                        Some(FailedRun::of(self.running.verb, &error, &self.running.terminal.known()));
                }
            }
        }
        let names = self.targets.iter().map(|target| target.name.clone()).collect();
        let runs = GroupRuns::new(self.running, Some(names), pairs.clone());
        for (at, RefusedGroup { pair, error }) in refused {
            runs.add(at, self.of_group(at, pair, Err(error)));
        }
        self.running.on_interruption({
            let (runs, outline, printer) = (Arc::clone(&runs), outline.clone(), Arc::clone(&self.running.printer));
            move |signal, cleaned| {
                let (document, _) = outline.document(runs.interrupted(signal, cleaned));
                printer.put(&document).err().iter().for_each(warn);
            }
        });
        let contexts = |at: usize| &named[at].context;
        for_each_pair(base, contexts, pairs, self.jobs, async |at, context, group: GroupPair| {
            runs.start(at, &group.source);
            let ended = self.promote(&self.targets[at], &context, &group).await;
            runs.end(at, self.of_group(at, group, ended));
        })
        .await;
        self.running.has_ended();
        let (document, exit) = outline.document(runs.take());
        self.running.printer.document(&document)?;
        Ok(exit)
    }

    fn of_group(&self, at: usize, group: GroupPair, result: Result<RunReport>) -> Ending<RunReport> {
        let target = &self.targets[at];
        let name = target.label(&group);
        of_group(self.running, (&name, Some(&target.name)), group, result, |report| target.full.exit(report))
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
        match &self.reviewed {
            Some(reviewed) => reviewed.planned(&target.name, found?),
            None => found,
        }
    }

    async fn promote(&self, target: &FileTarget, context: &Context, group: &GroupPair) -> Result<RunReport> {
        let mut settings = target.full.settings(&GroupRef::Arn(group.source.clone()))?;
        settings.dry_run = self.dry_run;
        match &self.reviewed {
            Some(reviewed) => full_as_planned(context, &settings, reviewed.of(&target.name, &group.source)?).await,
            None => full(context, &settings).await,
        }
    }
}

impl FileTarget {
    /// How lines name a group of the target.
    fn label(&self, group: &GroupPair) -> String {
        format!("{}: {}", self.name, group.source.name())
    }
}
