//! Makes the document of several promotions from the results of their groups.

use super::PromotionsOfFile;
use super::document::{OfTarget, PromotionsDocument};
use crate::cli::arguments::PlanFormat;
use crate::cli::exit::Exit;
use crate::cli::failed::FailedRun;
use crate::cli::of_groups::{GroupsSummary, OfGroup, sorted};
use crate::model::package::rfc3339;
use crate::record::{SCHEMA, Tool};
use crate::run::RunReport;
use crate::run::many::{PassedOver, PlanDigest};

/// What the document has besides the results of the groups.
#[derive(Debug, Clone)]
pub(super) struct PromotionsOutline {
    verb: &'static str,
    file: String,
    form: Option<PlanFormat>,
    pub targets: Vec<TargetOutline>,
}

/// A target without the results of its groups.
#[derive(Debug, Clone)]
pub(super) struct TargetOutline {
    name: String,
    pub passed_over: Vec<PassedOver>,
    /// Why its groups could not be found.
    pub error: Option<FailedRun>,
}

impl PromotionsOutline {
    /// The outline of promotions whose groups are not known.
    pub fn of(promotions: &PromotionsOfFile<'_>) -> Self {
        let target = |name: &str| TargetOutline { name: name.to_owned(), passed_over: Vec::new(), error: None };
        Self {
            verb: promotions.running.verb,
            file: promotions.file.clone(),
            form: promotions.form,
            targets: promotions.targets.iter().map(|of| target(&of.name)).collect(),
        }
    }

    /// The document, and how the run ends.
    pub fn document(self, results: Vec<(usize, OfGroup<RunReport>)>) -> (PromotionsDocument, Exit) {
        let mut by_target: Vec<Vec<OfGroup<RunReport>>> = self.targets.iter().map(|_| Vec::new()).collect();
        for (at, group) in results {
            by_target[at].push(group);
        }
        let (mut targets, mut worst) = (Vec::new(), Exit::Done);
        for (target, groups) in self.targets.into_iter().zip(by_target) {
            let of_target = target.with(groups);
            worst = worst.worst(of_target.exit_code);
            targets.push(of_target);
        }
        let summary = GroupsSummary::of(targets.iter().flat_map(|target| &target.groups), worst);
        let Self { verb, file, form, .. } = self;
        let ended = rfc3339(&std::time::SystemTime::now().into());
        let (plan, reviewed_plan) = (plan(&targets, form), reviewed_plan(&targets));
        let tool = Tool::default();
        let document =
            PromotionsDocument { schema: SCHEMA, verb, file, targets, plan, reviewed_plan, summary, tool, ended, form };
        (document, worst)
    }
}

impl TargetOutline {
    fn with(self, mut groups: Vec<OfGroup<RunReport>>) -> OfTarget {
        let own = if self.error.is_some() { Exit::Failed } else { Exit::Done };
        let exit_code = own.worst(sorted(&mut groups));
        let Self { name, passed_over, error } = self;
        OfTarget { name, exit_code, groups, passed_over, error }
    }
}

/// The digest over the plans of all targets; nothing if the document is no plan.
fn plan(targets: &[OfTarget], form: Option<PlanFormat>) -> Option<PlanDigest> {
    let has_plan = || targets.iter().flat_map(|target| &target.groups).any(|group| group.plan().1.is_some());
    let of_target = |target: &OfTarget| PlanDigest::of(target.groups.iter().map(OfGroup::plan));
    let of_targets =
        targets.iter().map(|target| (target.name.as_str(), target.error.is_none().then(|| of_target(target))));
    (form.is_some() || has_plan()).then(|| PlanDigest::of_targets(of_targets))
}

/// The reviewed plans of all targets. A group that has failed does not name them.
fn reviewed_plan(targets: &[OfTarget]) -> Option<PlanDigest> {
    targets.iter().flat_map(|target| &target.groups).find_map(OfGroup::reviewed_plan)
}
