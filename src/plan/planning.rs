//! Makes the plan of a promotion, without calls to AWS: the same input gives the same plan.

use anyhow::{Result, bail};

use crate::model::arn::PackageArn;
use crate::model::field::Document;
use crate::model::layout::Layout;
use crate::model::package::Package;
use crate::plan::artifacts::Artifacts;
use crate::plan::draft::Draft;
use crate::plan::environment::EnvironmentUrls;
use crate::plan::images::PlannedImage;
use crate::plan::inventory::{Found, Inventory};
use crate::plan::limits::{long_keys, rejected};
use crate::plan::not_carried::NotCarried;
use crate::plan::provenance::add_provenance;
use crate::plan::resolved::Resolved;
use crate::plan::rewriting::{Rewritten, Targets, urls_elsewhere};
use crate::plan::target_group::TargetGroupState;
use crate::plan::unchanged::unchanged;
use crate::plan::warning::Warning;
use crate::schema::references::Reference;

/// What a promotion will do.
#[derive(Debug)]
pub struct Plan {
    /// The package version that is promoted.
    pub source: PackageArn,
    /// The target keys.
    pub layout: Layout,
    /// Each distinct object.
    pub artifacts: Artifacts,
    /// Each distinct image, if images are copied.
    pub images: Vec<PlannedImage>,
    /// The request of CreateModelPackage, without the client token.
    pub request: Document,
    /// The SourceUri that UpdateModelPackage sets after the registration.
    pub source_uri: Option<String>,
    /// Each reference of the package with its target location.
    pub references: Vec<Resolved>,
    /// The fields that are not carried over, and why.
    pub not_carried: Vec<NotCarried>,
    /// Which S3 URLs in environment variables are copied.
    pub environment_urls: EnvironmentUrls,
    /// Warnings about keys that a deployment may fail to download.
    pub warnings: Vec<Warning>,
    /// What the target group has, if that was looked at.
    pub target_group: Option<TargetGroupState>,
}

/// Makes the plan from a draft and the inventory of its references.
///
/// # Errors
/// AWS would reject the request or a key. The message names every offending field and the violated rule.
pub fn plan(
    package: &Package,
    draft: Draft,
    inventory: Inventory,
    images: Vec<PlannedImage>,
    layout: &Layout,
) -> Result<Plan> {
    let Inventory { found, artifacts } = inventory;
    let mut targets = Targets::of(&found, &artifacts, &urls_elsewhere(package, &draft.request), layout)?;
    images.iter().filter_map(PlannedImage::replacement).for_each(|(image, target)| targets.add_image(image, target));
    let rewritten = Rewritten::of(package, draft, &targets)?;
    let is_known = |reference: &&Reference| {
        let is_nothing = |found: &Found| matches!(found, Found::Nothing | Found::NotCopied(_));
        found.iter().any(|(known, found)| known.field == reference.field && is_nothing(found))
    };
    if let Some(reference) = rewritten.unresolved().find(|reference| !is_known(reference)) {
        bail!("{} was not looked up", reference.field);
    }
    let Rewritten { mut request, source_uri, references, not_carried: mut omitted, environment_urls, .. } = rewritten;
    omitted.extend(unchanged(package, &request, &found, &targets));
    add_provenance(&mut request, package.arn());
    let mut findings = rejected(&request, source_uri.as_deref(), package);
    findings.extend(long_keys(&artifacts)?);
    findings.refuse(package.arn())?;
    let (source, layout) = (package.arn().clone(), layout.clone());
    let warnings = warnings(&found).into_iter().chain(images.iter().flat_map(PlannedImage::warnings)).collect();
    Ok(Plan {
        source,
        layout,
        artifacts,
        images,
        request,
        source_uri,
        references,
        not_carried: omitted,
        environment_urls,
        warnings,
        target_group: None,
    })
}

fn warnings(found: &[(Reference, Found)]) -> Vec<Warning> {
    let remarks = found.iter().flat_map(|(reference, found)| match found {
        Found::Prefix(remarks) => remarks.iter().map(|remark| (&reference.field, remark)).collect(),
        Found::Object(_) | Found::Manifest(_) | Found::Output | Found::Nothing | Found::NotCopied(_) => Vec::new(),
    });
    remarks.map(|(field, remark)| Warning { field: field.to_string(), remark: remark.clone() }).collect()
}
