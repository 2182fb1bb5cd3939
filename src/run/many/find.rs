//! Finds the source groups that a pattern and tags select, and the names of their target groups.

use anyhow::{Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::pairs::Pairs;
use super::selection::{FoundGroups, GroupPair, GroupSelection, PassedOver};
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
    let (sources, passed_over) = match find(source, selection, &reader).await? {
        Some(found) => found,
        None => return Err(no_match(selection, &reader, matching_target(target, selection, &writer).await).into()),
    };
    let Pairs { groups, refused } = Pairs::of(sources, selection.target_group.as_ref())?;
    let found = FoundGroups { groups, refused, passed_over };
    refuse_own_targets(&found, &writer)?;
    Ok(found)
}

/// Finds the groups of a selection for a run that needs no target account. Reads only.
///
/// # Errors
/// No group matches, or the groups cannot be listed.
pub async fn find_source_groups(context: &Context, selection: &GroupSelection) -> Result<FoundGroups> {
    let source = context.source().await?;
    let reader = source.identity().await?;
    let Some((sources, passed_over)) = find(source, selection, &reader).await? else {
        return Err(no_match(selection, &reader, None).into());
    };
    let groups = sources.into_iter().map(|source| GroupPair { source, target: None }).collect();
    Ok(FoundGroups { groups, refused: Vec::new(), passed_over })
}

/// The groups in the order in which they begin, and those that are passed over; nothing if no group matches.
async fn find(
    source: &SourceAccount,
    selection: &GroupSelection,
    reader: &Identity,
) -> Result<Option<(Vec<GroupArn>, Vec<PassedOver>)>> {
    let mut listed = list(source, selection, reader).await?;
    listed.retain(|group| selection.pattern.matches(&group.arn));
    // Groups of one name in several accounts keep their order.
    listed.sort_by_key(|group| group.arn.name().canonical());
    let (unusable, usable): (Vec<_>, Vec<_>) = listed.into_iter().partition(|group| group.unusable.is_some());
    let usable: Vec<GroupArn> = usable.into_iter().map(|group| group.arn).collect();
    if usable.is_empty() {
        return Ok(None);
    }
    let mut tagged = with_tags(source.registry(), usable, &selection.tags).await?;
    ensure!(!tagged.is_empty(), no_tags(selection));
    if let Some(first) = &selection.first {
        // A stable sort: the others keep their order.
        tagged.sort_by_key(|group| !first.is(group));
    }
    let status = |group: ListedGroup| Some(PassedOver { status: group.unusable?, group: group.arn });
    Ok(Some((tagged, unusable.into_iter().filter_map(status).collect())))
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
    for group in of_others? {
        if !listed.iter().any(|known| known.arn == group.arn) {
            listed.push(group);
        }
    }
    Ok(listed)
}

/// Leaves out groups that lack one of the tags.
async fn with_tags(
    registry: &SourceRegistry,
    groups: Vec<GroupArn>,
    tags: &[(String, String)],
) -> Result<Vec<GroupArn>> {
    if tags.is_empty() {
        return Ok(groups);
    }
    let tagged = groups.into_iter().map(|group| async move {
        let of_group = registry.group_tags(&group).await?;
        anyhow::Ok(tags.iter().all(|tag| of_group.contains(tag)).then_some(group))
    });
    let tagged = stream::iter(tagged).buffered(TAGS_AT_ONCE);
    tagged.try_filter_map(|group| async { Ok(group) }).try_collect().await
}

/// Refuses a target group that matches the pattern itself: the next run would promote it again, into another group.
fn refuse_own_targets(found: &FoundGroups, writer: &Identity) -> Result<()> {
    for group in &found.groups {
        let Some(target) = group.target.as_ref().map(|target| writer.group(target)) else { continue };
        ensure!(
            !found.sources().any(|source| *source == target),
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
    let tags: Vec<String> = selection.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let tags = match tags.as_slice() {
        [tag] => format!("the tag {tag}"),
        tags => format!("the tags {}", tags.join(", ")),
    };
    Failure::new(format!("no model package group that matches {} has {tags}", selection.pattern))
        .hint("Check `--source-tag`: keys and values are compared with their letter case")
}
