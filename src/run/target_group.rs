//! Looks up the target group before the promotion, and creates it with the description and tags of the source group.

use anyhow::{Result, ensure};

use super::event::Event;
use super::promotion::Promotion;
use super::settings::RegistrationSettings;
use crate::aws::accounts::TargetAccount;
use crate::aws::error::{CallError, Kind};
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::register::NewGroup;

/// Whether the target group has to be created.
///
/// # Errors
/// The group does not exist, and the settings do not allow to create it.
pub(super) async fn is_missing(
    target: &TargetAccount,
    destination: &Destination,
    settings: &RegistrationSettings,
) -> Result<bool> {
    let missing = target.registry().find_group(destination.group.name()).await?.is_none();
    ensure!(
        !missing || settings.create_group,
        Failure::new(format!("the target group {} does not exist", destination.group))
            .hint("Create the group, or run without --no-create-group")
    );
    Ok(missing)
}

/// Creates the target group with the source group's description and tags.
pub(super) async fn create_group(promotion: &Promotion<'_>, settings: &RegistrationSettings) -> Result<()> {
    let (registry, group) = (promotion.source.registry(), &promotion.group);
    let (described, tags) = tokio::join!(registry.find_group(group), registry.group_tags(group));
    let description = readable(described, "description", promotion)?.flatten();
    let description = description.as_ref().and_then(|group| group.get("ModelPackageGroupDescription")?.as_str());
    let tags = readable(tags, "tags", promotion)?.unwrap_or_default();
    let new = NewGroup::of(description.map(str::to_owned), tags, &settings.group_tags);
    let name = promotion.destination.group.name();
    promotion.target.registry().create_group(name, new.description.as_deref(), &new.tags).await?;
    Ok(())
}

/// Continues without a description or tags if the source denies reading them. Other errors stop the run.
fn readable<T>(read: Result<T, CallError>, part: &'static str, promotion: &Promotion<'_>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind == Kind::Denied => {
            promotion.context.notice(Event::GroupNotReadable { part, error: &error });
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
