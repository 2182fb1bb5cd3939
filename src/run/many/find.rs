//! Finds the source groups that a pattern and tags select, and the names of their target groups.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use futures_util::{StreamExt, stream};

use super::pairs::Pairs;
use super::selection::{FoundGroups, GroupPair, GroupSelection, PassedOver, RefusedGroup};
use crate::aws::accounts::{SourceAccount, TargetAccount, principals};
use crate::aws::registry::{GroupsOf, ListedGroup, SourceRegistry};
use crate::aws::session::Identity;
use crate::model::arn::GroupArn;
use crate::model::failure::Failure;
use crate::run::context::Context;

/// Groups whose tags are read at a time. SageMaker throttles its control plane at low rates.
const TAGS_AT_ONCE: usize = 4;

/// Finds the groups of a selection. Reads only.
///
/// # Errors
/// No group matches, the groups cannot be listed, or a target group matches the pattern too.
pub async fn find_groups(context: &Context, selection: &GroupSelection) -> Result<FoundGroups> {
    let (source, target) = context.accounts().await?;
    let (reader, writer) = principals(source, target).await?;
    let Some(MatchingGroups { groups, unread, passed_over, known }) = find(source, selection, &reader).await? else {
        return Err(no_match(selection, &reader, matching_target(target, selection, &writer).await).into());
    };
    let Pairs { groups, mut refused } = Pairs::of(groups, selection.target_group.as_ref())?;
    refused.extend(unread);
    let found = FoundGroups { groups, refused, passed_over };
    refuse_own_targets(&found, &known, selection, (&reader, &writer))?;
    Ok(found)
}

/// Finds the groups of a selection for a run that needs no target account. Reads only.
///
/// # Errors
/// No group matches, or the groups cannot be listed.
pub async fn find_source_groups(context: &Context, selection: &GroupSelection) -> Result<FoundGroups> {
    let source = context.source().await?;
    let reader = source.identity().await?;
    let Some(MatchingGroups { groups, unread: refused, passed_over, .. }) = find(source, selection, &reader).await?
    else {
        return Err(no_match(selection, &reader, None).into());
    };
    let groups = groups.into_iter().map(|source| GroupPair { source, target: None }).collect();
    Ok(FoundGroups { groups, refused, passed_over })
}

/// The source groups of a selection.
struct MatchingGroups {
    /// The groups that are selected, in the order in which they begin.
    groups: Vec<GroupArn>,
    /// Groups that match, and whose tags could not be read.
    unread: Vec<RefusedGroup>,
    passed_over: Vec<PassedOver>,
    /// All groups that match, whatever tags they have.
    known: HashSet<GroupArn>,
}

/// The source groups; nothing if no group matches.
async fn find(source: &SourceAccount, selection: &GroupSelection, reader: &Identity) -> Result<Option<MatchingGroups>> {
    let mut listed = list(source, selection, reader).await?;
    listed.retain(|group| selection.pattern.matches(&group.arn));
    // Groups of one name in several accounts keep their order.
    listed.sort_by_key(|group| group.arn.name().canonical());
    let known = listed.iter().map(|group| group.arn.clone()).collect();
    let (unusable, usable): (Vec<_>, Vec<_>) = listed.into_iter().partition(|group| group.unusable.is_some());
    let usable: Vec<GroupArn> = usable.into_iter().map(|group| group.arn).collect();
    if usable.is_empty() {
        return Ok(None);
    }
    let (mut groups, mut unread) = with_tags(source.registry(), usable, &selection.tags).await;
    if groups.is_empty() {
        let unread = unread.drain(..).next().map(|refused| refused.error.context(tags_not_known(selection)));
        return Err(unread.unwrap_or_else(|| no_tags(selection).into()));
    }
    if let Some(first) = &selection.first {
        // A stable sort: the others keep their order.
        groups.sort_by_key(|group| !first.is(group));
    }
    let status = |group: ListedGroup| Some(PassedOver { status: group.unusable?, group: group.arn });
    let passed_over = unusable.into_iter().filter_map(status).collect();
    Ok(Some(MatchingGroups { groups, unread, passed_over, known }))
}

/// Lists the groups of the accounts that the pattern can match.
async fn list(source: &SourceAccount, selection: &GroupSelection, reader: &Identity) -> Result<Vec<ListedGroup>> {
    let own = async |wanted: bool, whose| match wanted {
        true => source.registry().groups(whose).await,
        false => Ok(Vec::new()),
    };
    let account = selection.pattern.account();
    let (of_own, of_others) = tokio::join!(
        own(account.is_none_or(|account| *account == reader.account), GroupsOf::OwnAccount),
        own(account.is_none_or(|account| *account != reader.account), GroupsOf::OtherAccounts)
    );
    let mut listed = of_own?;
    listed.extend(of_others?);
    // A group that is created while the pages are read may move another one to the next page too.
    let mut known = HashSet::new();
    listed.retain(|group| known.insert(group.arn.clone()));
    Ok(listed)
}

/// The groups that have all of the tags, and those whose tags cannot be read.
async fn with_tags(
    registry: &SourceRegistry,
    groups: Vec<GroupArn>,
    tags: &[(String, String)],
) -> (Vec<GroupArn>, Vec<RefusedGroup>) {
    if tags.is_empty() {
        return (groups, Vec::new());
    }
    let of_groups = groups.into_iter().map(|group| async move { (registry.group_tags(&group).await, group) });
    let mut of_groups = stream::iter(of_groups).buffered(TAGS_AT_ONCE);
    let (mut tagged, mut unread) = (Vec::new(), Vec::new());
    while let Some((of_group, source)) = of_groups.next().await {
        match of_group {
            Ok(of_group) if tags.iter().all(|tag| of_group.contains(tag)) => tagged.push(source),
            Ok(_) => {}
            // It is not known whether the group is selected, and so it has no target group.
            Err(error) => {
                unread.push(RefusedGroup { pair: GroupPair { source, target: None }, error: error.into() });
            }
        }
    }
    (tagged, unread)
}

/// Refuses a target group that matches the pattern itself: the next run would promote it again, into another group.
fn refuse_own_targets(
    found: &FoundGroups,
    known: &HashSet<GroupArn>,
    selection: &GroupSelection,
    (reader, writer): (&Identity, &Identity),
) -> Result<()> {
    let selected: HashSet<&GroupArn> = found.sources().collect();
    for group in &found.groups {
        let Some(target) = group.target.as_ref().map(|target| writer.group(target)) else { continue };
        // A group that exists and is not selected lacks a tag.
        let may_be_selected = selection.tags.is_empty() || !known.contains(&target) && selection.selects_created();
        ensure!(
            !(selected.contains(&target) || may_be_selected && is_listed(&target, selection, reader)),
            Failure::new(format!(
                "{target}, the target group of {}, matches the pattern of source groups",
                group.source
            ))
            .hint(
                "Use credentials of the target account (`--target-profile`, `--target-role-arn`), or narrow the \
                     pattern to source groups"
            )
        );
    }
    Ok(())
}

/// Whether the next run would list a group that matches the pattern. A pattern of names matches groups of any account, but
/// the reader's own account is the only one that is known to list them.
fn is_listed(group: &GroupArn, selection: &GroupSelection, reader: &Identity) -> bool {
    let is_known = selection.pattern.account().is_some() || reader.group(group.name()) == *group;
    is_known && selection.pattern.matches(group)
}

/// A group of the target account that matches the pattern, if the credentials of source and target may be swapped.
/// Ignores errors: the group is for a hint only.
async fn matching_target(target: &TargetAccount, selection: &GroupSelection, writer: &Identity) -> Option<GroupArn> {
    let account = selection.pattern.account();
    if account.is_some_and(|account| *account != writer.account) {
        return None;
    }
    let groups = target.registry().groups().await.unwrap_or_default();
    groups.into_iter().map(|group| group.arn).find(|group| selection.pattern.matches(group))
}

fn no_match(selection: &GroupSelection, reader: &Identity, at_target: Option<GroupArn>) -> Failure {
    let pattern = &selection.pattern;
    let failure = Failure::new(format!("no model package group matches {pattern}"));
    if let Some(group) = at_target {
        return failure.hint(format!(
            "{group} of the target account matches. If the credentials of source and target are swapped, exchange them; \
             otherwise check the pattern and the source account ({})",
            reader.account
        ));
    }
    let account = pattern.account().unwrap_or(&reader.account);
    failure.hint(format!("Check the pattern, the account ({account}) and the region ({})", reader.region))
}

fn no_tags(selection: &GroupSelection) -> Failure {
    let (pattern, tags) = (&selection.pattern, tags_of(selection));
    Failure::new(format!("no model package group that matches {pattern} has {tags}"))
        .hint("Check `--source-tag`: keys and values are compared with their letter case")
}

fn tags_not_known(selection: &GroupSelection) -> String {
    format!("no model package group that matches {} is known to have {}", selection.pattern, tags_of(selection))
}

fn tags_of(selection: &GroupSelection) -> String {
    let tags: Vec<String> = selection.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    match tags.as_slice() {
        [tag] => format!("the tag {tag}"),
        tags => format!("the tags {}", tags.join(", ")),
    }
}
