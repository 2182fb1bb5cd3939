//! Promotions into several targets, several groups at a time: `promote plan` and `promote apply` as a library.
//!
//! ```no_run
//! use promote::aws::session::Access;
//! use promote::run::promotions::{NamedTarget, Promotions, TargetGroups};
//! use promote::run::settings::FullSettings;
//! use promote::run::Context;
//!
//! # async fn example() -> anyhow::Result<()> {
//! let base = Context::default();
//! let settings: FullSettings = serde_json::from_value(serde_json::json!({
//!     "selection": {"group": "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/churn"},
//!     "destination": {"bucket": "serving-models"},
//! }))?;
//! let production = Access { profile: Some("production".into()), ..Access::default() };
//! let target = NamedTarget {
//!     name: "churn/production".into(),
//!     context: base.of_target("churn/production", (Access::default(), production)),
//!     groups: TargetGroups::One(settings.selection.group.clone(), None),
//!     settings: Box::new(move |_| Ok(settings.clone())),
//! };
//! let promotions = Promotions { targets: vec![target], jobs: 8, reviewed: None };
//! let mut groups = Vec::new();
//! for (place, found) in promotions.find().await?.into_iter().enumerate() {
//!     groups.extend(found?.groups.into_iter().map(|group| (place, group)));
//! }
//! let ends = |_, group: promote::run::many::GroupPair, result: anyhow::Result<promote::run::RunReport>| {
//!     if let Err(error) = result {
//!         println!("{}: {error:#}", group.source);
//!     }
//! };
//! promotions.run(&base, groups, |_, _| {}, ends).await;
//! # Ok(())
//! # }
//! ```

mod reviewed;
mod targets;

use anyhow::Result;

use super::context::Context;
use super::many::{FoundGroups, GroupPair, for_each_pair, full_for_group};
use super::report::RunReport;
use crate::model::arn::GroupRef;

pub use reviewed::ReviewedPromotions;
pub(crate) use reviewed::{INTERRUPTED, make_with};
use targets::find_for_targets;
pub use targets::{NamedTarget, SettingsOf, TargetGroups};

/// Promotions into several targets.
pub struct Promotions {
    /// The targets. The same group is promoted into several of them independently.
    pub targets: Vec<NamedTarget>,
    /// The number of groups that run at a time.
    pub jobs: usize,
    /// The plans that somebody has reviewed; otherwise the promotions are not compared with plans.
    pub reviewed: Option<ReviewedPromotions>,
}

impl Promotions {
    /// Finds the groups of each target, and refuses those that its reviewed plan does not have. A target whose groups
    /// cannot be found, and one that the plan leaves out, does not stop the others. Reads only.
    ///
    /// # Errors
    /// Two targets have one target group: their versions would mix.
    pub async fn find(&self) -> Result<Vec<Result<FoundGroups>>> {
        let found = find_for_targets(&self.targets, self.jobs).await?;
        let as_planned = |(target, found): (&NamedTarget, Result<FoundGroups>)| match &self.reviewed {
            Some(plans) => plans.planned(&target.name, found?),
            None => found,
        };
        Ok(self.targets.iter().zip(found).map(as_planned).collect())
    }

    /// Runs [`full()`](super::full()) for each group, which has the place of its target. One that fails does not stop the
    /// others. `base` has the observer of the run, `begins` and `ends` receive each group and its result.
    pub async fn run(
        &self,
        base: &Context,
        groups: Vec<(usize, GroupPair)>,
        begins: impl Fn(usize, &GroupPair),
        ends: impl Fn(usize, GroupPair, Result<RunReport>),
    ) {
        let context_of = |place: usize| &self.targets[place].context;
        for_each_pair(base, context_of, groups, self.jobs, async |place, context, group: GroupPair| {
            begins(place, &group);
            let result = self.promote(&self.targets[place], &context, &group).await;
            ends(place, group, result);
        })
        .await;
    }

    async fn promote(&self, target: &NamedTarget, context: &Context, group: &GroupPair) -> Result<RunReport> {
        let settings = (target.settings)(&GroupRef::Arn(group.source.clone()))?;
        let reviewed = self.reviewed.as_ref().map(|plans| plans.groups_of(&target.name));
        full_for_group(context, &settings, reviewed.transpose()?).await
    }
}
