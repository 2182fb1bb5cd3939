//! Finds the groups of several targets, and refuses two promotions into one target group.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use futures_util::{StreamExt, stream};

use crate::aws::session::Identity;
use crate::model::arn::{GroupArn, GroupName, GroupRef};
use crate::model::failure::Failure;
use crate::run::context::Context;
use crate::run::many::{FoundGroups, GroupPair, GroupSelection, find_groups};
use crate::run::settings::FullSettings;

/// A named target, and the source groups that are promoted into it.
pub struct NamedTarget {
    /// The name in messages and documents.
    pub name: String,
    /// The accounts, and what is shared with other targets.
    pub context: Context,
    /// The source groups.
    pub groups: TargetGroups,
    /// Makes the settings of the promotion of a source group.
    pub settings: SettingsOf,
}

/// Makes the settings of the promotion of a source group.
pub type SettingsOf = Box<dyn Fn(&GroupRef) -> Result<FullSettings> + Send + Sync>;

/// The source groups of a target.
#[derive(Debug, Clone)]
pub enum TargetGroups {
    /// One group, and the name of its target group if it is another one.
    One(GroupRef, Option<GroupName>),
    /// The groups of a pattern.
    Matching(Box<GroupSelection>),
}

/// Finds the groups of each target, at most `at_once` targets at a time. A target whose groups cannot be found does not
/// stop the others.
///
/// # Errors
/// Two targets have one target group: their versions would mix.
pub(super) async fn find_for_targets(targets: &[NamedTarget], at_once: usize) -> Result<Vec<Result<FoundGroups>>> {
    let found: Vec<Result<(FoundGroups, Vec<GroupArn>)>> =
        stream::iter(targets.iter().map(NamedTarget::find)).buffered(at_once.max(1)).collect().await;
    let mut promoted_by: HashMap<&GroupArn, &str> = HashMap::new();
    for (target, found) in targets.iter().zip(&found) {
        let Ok((_, arns)) = found else { continue };
        for arn in arns {
            if let Some(other) = promoted_by.insert(arn, &target.name).filter(|other| *other != target.name) {
                let message = format!("{other} and {} would both promote into {arn}", target.name);
                let hint = "Give each target its own target group, account or region; in the target's `group`, `{group}` \
                            stands for the source group's name";
                return Err(Failure::new(message).hint(hint).into());
            }
        }
    }
    Ok(found.into_iter().map(|found| found.map(|(groups, _)| groups)).collect())
}

impl NamedTarget {
    /// The groups, and the ARN of each target group. Includes target groups that several source groups share: a run promotes
    /// into them once that is resolved.
    async fn find(&self) -> Result<(FoundGroups, Vec<GroupArn>)> {
        let found = match &self.groups {
            TargetGroups::Matching(selection) => find_groups(&self.context, selection).await,
            TargetGroups::One(group, target) => self.one(group, target.as_ref()).await,
        };
        let found = found.with_context(|| self.name.clone())?;
        let writer = self.writer().await.with_context(|| self.name.clone())?;
        let pairs = found.groups.iter().chain(found.refused.iter().map(|refused| &refused.pair));
        let arns = pairs.filter_map(|pair| pair.target.as_ref()).map(|name| writer.group(name)).collect();
        Ok((found, arns))
    }

    /// The principal of the target account.
    async fn writer(&self) -> Result<Identity> {
        self.context.target().await?.check().await
    }

    async fn one(&self, group: &GroupRef, target: Option<&GroupName>) -> Result<FoundGroups> {
        let source = self.context.source().await?.group(group).await?;
        let target = Some(target.unwrap_or(source.name()).clone());
        Ok(FoundGroups { groups: vec![GroupPair { source, target }], refused: Vec::new(), passed_over: Vec::new() })
    }
}
