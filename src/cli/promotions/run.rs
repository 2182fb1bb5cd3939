//! Runs the targets of a promotions file, several groups at a time.

use anyhow::{Context as _, Result};

use super::PromotionsOfFile;
use super::file::FileTarget;
use super::outline::PromotionsOutline;
use crate::cli::arguments::Selected;
use crate::cli::exit::Exit;
use crate::cli::failed::FailedRun;
use crate::cli::group_runs::GroupRuns;
use crate::cli::many::{of_group, pass_over};
use crate::cli::of_groups::OfGroup;
use crate::cli::printer::failed;
use crate::model::arn::GroupRef;
use crate::run::many::{GroupPair, RefusedGroup};
use crate::run::promotions::{NamedTarget, Promotions, TargetGroups};
use crate::run::settings::FullSettings;
use crate::run::{Context, RunReport};

impl PromotionsOfFile<'_> {
    /// Runs every target, and prints one document for all of them.
    ///
    /// # Errors
    /// Two targets have one target group, or the document cannot be written. The failure of a target is no error.
    pub(super) async fn run(mut self, base: &Context) -> Result<Exit> {
        let targets = self.targets.iter().map(|target| self.named(target, base)).collect::<Result<Vec<_>>>()?;
        let promotions = Promotions { targets, jobs: self.jobs, reviewed: self.reviewed.take() };
        let found = promotions.find().await?;
        let mut outline = PromotionsOutline::of(&self);
        let (mut pairs, mut refused) = (Vec::new(), Vec::new());
        for (at, found) in found.into_iter().enumerate() {
            match found {
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
        let begins = |at, group: &GroupPair| runs.start(at, &group.source);
        let ends = |at, group, result| runs.end(at, self.of_group(at, group, result));
        let all = promotions.run(base, pairs, begins, ends);
        let (document, exit) = runs.document(self.running, move |results| outline.document(results), all).await;
        self.running.printer.document(&document)?;
        Ok(exit)
    }

    fn of_group(&self, at: usize, group: GroupPair, result: Result<RunReport>) -> OfGroup<RunReport> {
        let target = &self.targets[at];
        let name = target.label(&group);
        of_group(self.running, (&name, Some(&target.name)), group, result, |report| target.full.exit(report))
    }

    fn named(&self, target: &FileTarget, base: &Context) -> Result<NamedTarget> {
        let FileTarget { name, full } = target.clone();
        let groups = match full.groups().with_context(|| name.clone())? {
            Selected::One(group) => TargetGroups::One(group.clone(), full.target_of(group)?),
            Selected::Many(selection) => TargetGroups::Matching(selection),
        };
        let context = base.of_target(&name, full.access()).with_record_secrets(full.record_secrets());
        let dry_run = self.dry_run;
        let settings = Box::new(move |group: &GroupRef| Ok(FullSettings { dry_run, ..full.settings(group)? }));
        Ok(NamedTarget { name, context, groups, settings })
    }
}

impl FileTarget {
    /// How lines name a group of the target.
    fn label(&self, group: &GroupPair) -> String {
        format!("{}: {}", self.name, group.source.name())
    }
}
