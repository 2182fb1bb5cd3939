//! Finds the record of a promoted version whose `promote:` metadata somebody has removed.

use anyhow::Result;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::aws::accounts::TargetAccount;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::field::each_leaf;
use crate::model::layout::{Layout, TargetPrefix};
use crate::model::location::{BucketName, Location};
use crate::model::promoted::PromotedVersion;
use crate::record::history::History;
use crate::run::settings::VerifySettings;

/// Folders whose records are read at a time.
const FOLDERS_AT_ONCE: usize = 8;

/// The folders that may have the record of a version.
#[derive(Debug, Default)]
struct Places {
    prefix: TargetPrefix,
    layouts: Vec<Layout>,
}

/// The source version and the destination of a version without metadata, by the record that names it. Nothing if there is
/// none, or if it is not known where to look: the version refers to no promoted artifact, and the settings name no bucket.
///
/// # Errors
/// The target cannot be read.
pub(super) async fn named_by_record(
    target: &TargetAccount,
    settings: &VerifySettings,
    promoted: &PromotedVersion,
    (group, caller): (&GroupArn, &str),
) -> Result<Option<(PackageArn, Destination)>> {
    let Some((bucket, places)) = places(target, settings, promoted, group).await? else { return Ok(None) };
    let mut sources = Vec::new();
    for layout in &places.layouts {
        sources.push(source_of(target, layout, promoted).boxed());
    }
    let (group, caller) = (group.clone(), caller.to_owned());
    let destination = Destination { bucket, prefix: places.prefix, group, caller };
    let mut sources = stream::iter(sources).buffered(FOLDERS_AT_ONCE);
    while let Some(source) = sources.try_next().await? {
        if let Some(source) = source {
            return Ok(Some((source, destination)));
        }
    }
    Ok(None)
}

/// The source version in a record of the folder, if one names the promoted version.
async fn source_of(target: &TargetAccount, layout: &Layout, promoted: &PromotedVersion) -> Result<Option<PackageArn>> {
    let history = History::list(target.objects(), layout).await?;
    let record = history.of_version(promoted).find_map(|stored| stored.record.as_ref().ok());
    let source = record.and_then(|record| record.source.package.as_ref());
    Ok(source.map(|source| source.model_package_arn.clone()))
}

async fn places(
    target: &TargetAccount,
    settings: &VerifySettings,
    promoted: &PromotedVersion,
    group: &GroupArn,
) -> Result<Option<(BucketName, Places)>> {
    let mut found = None;
    each_leaf(&promoted.description, &mut |_, value| {
        let location = value.as_str().and_then(|text| text.parse::<Location>().ok());
        if let (None, Some(location)) = (&found, location) {
            found = Layout::of_copy(&location, group.name());
        }
    });
    if let Some((prefix, layout)) = found.filter(|(prefix, layout)| {
        settings.bucket.as_ref().is_none_or(|bucket| *bucket == layout.folder().bucket)
            && settings.prefix.as_ref().is_none_or(|given| given == prefix)
    }) {
        return Ok(Some((layout.folder().bucket, Places { prefix, layouts: vec![layout] })));
    }
    let Some(bucket) = &settings.bucket else { return Ok(None) };
    let prefix = settings.prefix.clone().unwrap_or_default();
    let at = Layout::promotions(bucket, &prefix, group.name());
    let folders = target.objects().folders(&at.bucket, &at.key).await?;
    let layouts = folders.iter().rev().filter_map(|folder| Layout::of_folder(bucket, folder)).collect();
    Ok(Some((bucket.clone(), Places { prefix, layouts })))
}

/// The error for a version that neither its metadata nor a record names as promoted.
pub(super) fn not_promoted(settings: &VerifySettings, group: &GroupArn) -> Failure {
    let arn = &settings.version;
    let is_gone = "If somebody has removed its metadata";
    let refused = format!("{arn} was not promoted: its customer metadata has no promote:source-arn");
    match &settings.bucket {
        None => Failure::new(refused)
            .hint(format!("Pass a promoted version. {is_gone}, name the bucket of its record with `--target-bucket`")),
        Some(bucket) => {
            let prefix = settings.prefix.clone().unwrap_or_default();
            let at = Layout::promotions(bucket, &prefix, group.name());
            Failure::new(format!("{refused}, and no record below {at} names it")).hint(format!(
                "Pass a promoted version. {is_gone}, name the prefix of its record with `--target-prefix`"
            ))
        }
    }
}
