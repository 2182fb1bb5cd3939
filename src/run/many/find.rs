//! Finds the source groups that a pattern and tags select, and the names of their target groups.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::selection::{FoundGroups, GroupPair, GroupSelection, PassedOver};
use crate::aws::accounts::{SourceAccount, principals};
use crate::aws::registry::{GroupsOf, ListedGroup, SourceRegistry};
use crate::aws::session::Identity;
use crate::model::arn::GroupArn;
use crate::model::failure::{Failure, Hint};
use crate::run::context::Context;

/// Groups whose tags are read at a time. SageMaker throttles its control plane at low rates.
const TAGS_AT_ONCE: usize = 4;

/// Finds the groups of a selection. Reads only.
///
/// # Errors
/// No group matches, the groups cannot be listed, or two of them would be promoted into one target group.
pub async fn find_groups(context: &Context, selection: &GroupSelection) -> Result<FoundGroups> {
    let (source, target) = context.accounts().await?;
    let (reader, writer) = principals(source, target).await?;
    let found = find(source, selection, &reader).await?;
    refuse_shared_targets(&found.groups)?;
    refuse_own_targets(&found.groups, &writer)?;
    Ok(found)
}

/// Finds the groups of a selection for a run that needs no target account. Reads only.
///
/// # Errors
/// No group matches, or the groups cannot be listed.
pub async fn find_source_groups(context: &Context, selection: &GroupSelection) -> Result<FoundGroups> {
    let source = context.source().await?;
    find(source, selection, &source.identity().await?).await
}

async fn find(source: &SourceAccount, selection: &GroupSelection, reader: &Identity) -> Result<FoundGroups> {
    let mut listed = list(source, selection, reader).await?;
    listed.retain(|group| selection.pattern.matches(&group.arn));
    // Groups of one name in several accounts keep their order.
    listed.sort_by_key(|group| group.arn.name().canonical());
    let (unusable, usable): (Vec<_>, Vec<_>) = listed.into_iter().partition(|group| group.unusable.is_some());
    let usable: Vec<GroupArn> = usable.into_iter().map(|group| group.arn).collect();
    ensure!(!usable.is_empty(), no_match(selection, reader));
    let tagged = with_tags(source.registry(), usable, &selection.tags).await?;
    ensure!(!tagged.is_empty(), no_tags(selection));
    let mut groups = tagged.into_iter().map(|source| pair(source, selection)).collect::<Result<Vec<_>>>()?;
    if let Some(first) = &selection.first {
        // A stable sort: the others keep their order.
        groups.sort_by_key(|group| !first.is(&group.source));
    }
    let status = |group: ListedGroup| Some(PassedOver { status: group.unusable?, group: group.arn });
    Ok(FoundGroups { groups, passed_over: unusable.into_iter().filter_map(status).collect() })
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

fn pair(source: GroupArn, selection: &GroupSelection) -> Result<GroupPair> {
    let Some(template) = &selection.target_group else {
        return Ok(GroupPair { target: source.name().clone(), source });
    };
    let target = template.target_of(source.name());
    let target = target.with_context(|| format!("the target group of {source}")).hint("Shorten `--target-group`")?;
    Ok(GroupPair { source, target })
}

/// Refuses two source groups with one target group: their versions would mix.
fn refuse_shared_targets(groups: &[GroupPair]) -> Result<()> {
    let mut sources: HashMap<_, &GroupArn> = HashMap::new();
    for group in groups {
        if let Some(other) = sources.insert(&group.target, &group.source) {
            bail!(
                Failure::new(format!("{other} and {} would be promoted into one target group, {}", group.source, group.target))
                    .hint("Pass a `--target-group` with `{group}`, or an ARN as the pattern, which matches groups of one account")
            );
        }
    }
    Ok(())
}

/// Refuses a target group that matches the pattern itself: the next run would promote it again, into another group.
fn refuse_own_targets(groups: &[GroupPair], writer: &Identity) -> Result<()> {
    for group in groups {
        let target = writer.group(&group.target);
        ensure!(
            !groups.iter().any(|other| other.source == target),
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

fn no_match(selection: &GroupSelection, reader: &Identity) -> Failure {
    let pattern = &selection.pattern;
    let account = pattern.account().unwrap_or(&reader.account);
    Failure::new(format!("no model package group matches {pattern}"))
        .hint(format!("Check the pattern, the account ({account}) and the region ({})", reader.region))
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
