//! Warns of settings that have no effect on a version that was promoted before.
//!
//! A setting that the version was promoted with is no warning, and neither is a setting that has its default value: a
//! pipeline passes the same settings to every run.

use anyhow::Result;

use crate::model::field::Document;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;
use crate::plan::draft::PackageOverrides;
use crate::plan::environment::EnvironmentUrls;
use crate::plan::images::{Images, uses};
use crate::record::{ImageFacts, Record, Verified};
use crate::run::settings::{FullSettings, Strictness};
use crate::schema::references::ReferenceKind;

/// The warnings, by the document about the promoted version, which has the values of its promotion.
///
/// # Errors
/// A temporary file cannot be read.
pub(super) fn without_effect(
    settings: &FullSettings,
    record: &Record,
    promoted: &PromotedVersion,
) -> Result<Vec<Warning>> {
    let warning = |remark| Warning { field: promoted.arn.to_string(), remark };
    let destination = destination(settings, record).map(warning);
    // The record of a withdrawal alone has none of the other values.
    let Some(request) = &record.request else { return Ok(destination.into_iter().collect()) };
    let (overrides, then) = (&settings.overrides, PackageOverrides::of(request));
    let all = [
        key(overrides, record),
        algorithm(overrides, &then),
        validation_role(overrides, &then, record),
        environment_urls(overrides, record),
        images(overrides, record, request),
        repositories(overrides, record),
        verification(settings.copy.verify, record)?,
    ];
    Ok(destination.into_iter().chain(all.into_iter().flatten().map(warning)).collect())
}

fn destination(settings: &FullSettings, record: &Record) -> Option<String> {
    let (now, then) = (&settings.destination, record.target.as_ref()?);
    let flag = match (then.bucket != now.bucket, then.prefix != now.prefix) {
        (true, _) => "--target-bucket",
        (false, true) if !now.prefix.as_str().is_empty() => "--target-prefix",
        (false, _) => return None,
    };
    Some(format!("`{flag}` has no effect: the version was promoted to {}", then.folder))
}

fn key(overrides: &PackageOverrides, record: &Record) -> Option<String> {
    let (key, then) = (overrides.kms_key.as_ref()?, record.kms_key.as_ref());
    let then = match then {
        Some(then) if then == key => return None,
        Some(then) => format!("with {then}"),
        None => "without it".to_owned(),
    };
    Some(format!(
        "`--kms-key-arn` has no effect on artifacts that are there: the version was promoted {then}; records and artifacts \
         that this run writes are encrypted with {key}"
    ))
}

fn algorithm(overrides: &PackageOverrides, then: &PackageOverrides) -> Option<String> {
    let (now, then) = (overrides.algorithm.as_ref()?, then.algorithm.as_ref()?);
    (now != then).then(|| format!("`--target-algorithm` has no effect: the version was promoted with {then}"))
}

/// A package without a validation has no role, whatever the flag says.
fn validation_role(overrides: &PackageOverrides, then: &PackageOverrides, record: &Record) -> Option<String> {
    let now = overrides.validation_role.as_ref()?;
    let then = match &then.validation_role {
        Some(then) if then == now => return None,
        Some(then) => format!("with {then}"),
        None if record.not_carried.iter().any(|field| field.field.starts_with("ValidationSpecification")) => {
            "without its validation".to_owned()
        }
        None => return None,
    };
    Some(format!("`--target-validation-role-arn` has no effect: the version was promoted {then}"))
}

/// A package without URLs in environment variables is the same with every value of the flag.
fn environment_urls(overrides: &PackageOverrides, record: &Record) -> Option<String> {
    let (now, then) = (overrides.environment_urls, record.environment_urls.unwrap_or_default());
    let has_urls = record.references.iter().any(|reference| reference.kind == ReferenceKind::Environment);
    if now == EnvironmentUrls::default() || now == then || !has_urls {
        return None;
    }
    let (now, then) = (now.name(), then.name());
    Some(format!("`--environment-urls {now}` has no effect: the version was promoted with {then}"))
}

/// A package without an image is the same with every value of the flag.
fn images(overrides: &PackageOverrides, record: &Record, request: &Document) -> Option<String> {
    let (flag, then) = match overrides.images {
        Images::Copy if record.images.is_empty() && !uses(request).is_empty() => ("copy", "the images of the source"),
        Images::Keep if copied(record).next().is_some() => ("keep", "copies of its images"),
        Images::Copy | Images::Keep => return None,
    };
    Some(format!("`--images {flag}` has no effect: the version was promoted with {then}"))
}

fn repositories(overrides: &PackageOverrides, record: &Record) -> Option<String> {
    let prefix = overrides.image_repository_prefix.as_str();
    let is_below =
        |image: &ImageFacts| image.target.split_once('/').is_some_and(|(_, repository)| repository.starts_with(prefix));
    let elsewhere = copied(record).find(|image| !is_below(image))?;
    (overrides.images == Images::Copy).then(|| {
        format!("`--image-repository-prefix` has no effect: the version was promoted with {}", elsewhere.target)
    })
}

/// The images that were copied. The others have no repository of the target account.
fn copied(record: &Record) -> impl Iterator<Item = &ImageFacts> {
    record.images.iter().filter(|image| image.bytes.is_some())
}

/// A rewritten manifest has no bytes of the source to be compared with.
fn verification(verify: Strictness, record: &Record) -> Result<Option<String>> {
    if verify != Strictness::Deep || record.artifacts.is_empty() {
        return Ok(None);
    }
    for artifact in record.artifacts.iter() {
        if artifact?.verified == Some(Verified::Bytes) {
            return Ok(None);
        }
    }
    Ok(Some(
        "`--verify deep` has no effect on artifacts that are there: the version was promoted without it; `promote verify \
         --deep` compares every byte"
            .to_owned(),
    ))
}
