//! Names the target group of each source group, and refuses source groups without a target group of their own.

use std::collections::HashMap;

use anyhow::{Context as _, Result};

use super::selection::{GroupPair, RefusedGroup};
use crate::model::arn::{GroupArn, GroupName, GroupTemplate};
use crate::model::failure::{Failure, Hint};
use crate::model::words::listed;

/// Source groups with their target groups.
pub(super) struct Pairs {
    pub groups: Vec<GroupPair>,
    pub refused: Vec<RefusedGroup>,
}

impl Pairs {
    /// Names the target groups. A source group is refused if the name is too long, or if another source group has the
    /// same target group: their versions would mix.
    ///
    /// # Errors
    /// All of several source groups would have one target group.
    pub fn of(sources: Vec<GroupArn>, template: Option<&GroupTemplate>) -> Result<Self> {
        let mut pairs = Self { groups: Vec::new(), refused: Vec::new() };
        for source in sources {
            match target_of(&source, template) {
                Ok(target) => pairs.groups.push(GroupPair { source, target: Some(target) }),
                Err(error) => pairs.refused.push(RefusedGroup { pair: GroupPair { source, target: None }, error }),
            }
        }
        let sharing = sharing(&pairs.groups);
        if let Some((target, sources)) = sharing.iter().next().filter(|_| template.is_some_and(GroupTemplate::is_fixed))
        {
            let hint = "Pass a `--target-group` with `{group}`, which stands for the source group's name";
            return Err(Failure::new(would_share(sources, target)).hint(hint).into());
        }
        let groups = std::mem::take(&mut pairs.groups);
        for pair in groups {
            let shared = pair.target.as_ref().and_then(|target| sharing.get_key_value(target));
            match shared.map(|(target, sources)| shares(sources, target)) {
                Some(failure) => pairs.refused.push(RefusedGroup { pair, error: failure.into() }),
                None => pairs.groups.push(pair),
            }
        }
        Ok(pairs)
    }
}

fn target_of(source: &GroupArn, template: Option<&GroupTemplate>) -> Result<GroupName> {
    let Some(template) = template else { return Ok(source.name().clone()) };
    let target = template.target_of(source.name());
    target.with_context(|| format!("the target group of {source}")).hint("Shorten `--target-group`")
}

/// The source groups of each target group that has several.
fn sharing(groups: &[GroupPair]) -> HashMap<GroupName, Vec<GroupArn>> {
    let mut sources: HashMap<GroupName, Vec<GroupArn>> = HashMap::new();
    for GroupPair { source, target } in groups {
        if let Some(target) = target {
            sources.entry(target.clone()).or_default().push(source.clone());
        }
    }
    sources.retain(|_, sources| sources.len() > 1);
    sources
}

fn would_share(sources: &[GroupArn], target: &GroupName) -> String {
    format!("{} would be promoted into the same target group, {target}", listed(sources))
}

/// The failure of each source group that shares a target group with others.
fn shares(sources: &[GroupArn], target: &GroupName) -> Failure {
    Failure::new(would_share(sources, target)).hint(
        "Promote each of them by its own ARN with a `--target-group` of its own, or pass an ARN as the pattern, which \
         matches groups of one account",
    )
}
