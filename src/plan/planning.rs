//! Makes the plan of a promotion. Pure: the same input gives the same plan, and nothing is called.

use anyhow::{Result, bail};

use crate::model::arn::PackageArn;
use crate::model::field::Document;
use crate::model::layout::Layout;
use crate::model::package::Package;
use crate::plan::artifacts::Artifacts;
use crate::plan::draft::Draft;
use crate::plan::inventory::{Found, Inventory};
use crate::plan::limits::refuse_violations;
use crate::plan::not_carried::{NotCarried, not_carried};
use crate::plan::provenance::add_provenance;
use crate::plan::resolved::Resolved;
use crate::plan::rewriting::{Rewritten, Targets, urls_elsewhere};
use crate::plan::warning::Warning;
use crate::schema::references::Reference;

/// What a promotion will do.
#[derive(Debug)]
pub struct Plan {
    /// The package version that is promoted.
    pub source: PackageArn,
    /// Where everything goes.
    pub layout: Layout,
    /// Each distinct object.
    pub artifacts: Artifacts,
    /// CreateModelPackage, complete but for the client token.
    pub request: Document,
    /// What the Update after it sets beside the approval.
    pub source_uri: Option<String>,
    /// Each reference of the package, and where it points to in the target.
    pub references: Vec<Resolved>,
    /// The fields that are not carried over, and why.
    pub not_carried: Vec<NotCarried>,
    /// Keys that S3 allows and deployments may fail on.
    pub warnings: Vec<Warning>,
}

/// Makes the plan from what the references of the draft were found to point to.
///
/// # Errors
/// AWS would refuse what the plan asks for: every offending field is named, with its rule.
pub fn plan(package: &Package, draft: Draft, inventory: Inventory, layout: &Layout) -> Result<Plan> {
    let Inventory { found, artifacts } = inventory;
    let targets = Targets::of(&found, &artifacts, &urls_elsewhere(package, &draft.request), layout)?;
    let rewritten = Rewritten::of(package, draft, &targets)?;
    if let Some(reference) = rewritten.unresolved().next() {
        bail!("{} was not looked up", reference.field);
    }
    let Rewritten { mut request, source_uri, references, not_carried: mut omitted } = rewritten;
    omitted.extend(not_carried(package.arn(), &request, &references, layout));
    add_provenance(&mut request, package.arn());
    refuse_violations(&request, source_uri.as_deref(), package, &artifacts)?;
    let (source, layout, warnings) = (package.arn().clone(), layout.clone(), warnings(&found));
    Ok(Plan { source, layout, artifacts, request, source_uri, references, not_carried: omitted, warnings })
}

fn warnings(found: &[(Reference, Found)]) -> Vec<Warning> {
    let remarks = found.iter().flat_map(|(reference, found)| match found {
        Found::Prefix(remarks) => remarks.iter().map(|remark| (&reference.field, remark)).collect(),
        Found::Object(_) | Found::Manifest(_) | Found::Output | Found::Nothing => Vec::new(),
    });
    remarks.map(|(field, remark)| Warning { field: field.to_string(), remark: remark.clone() }).collect()
}
