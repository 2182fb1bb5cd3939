//! Makes the plan of a promotion. Pure: the same input gives the same plan, and nothing is called.

use std::sync::Arc;

use anyhow::{Result, bail};

use crate::model::arn::PackageArn;
use crate::model::field::{Document, Field};
use crate::model::layout::Layout;
use crate::model::package::Package;
use crate::plan::artifacts::{Artifacts, Stretch};
use crate::plan::draft::Draft;
use crate::plan::growth::Growth;
use crate::plan::inventory::{Found, Objects};
use crate::plan::limits::{long_keys, refusal, refuse_violations};
use crate::plan::listing::Listing;
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
    /// The prefixes, each with a member that refers to it.
    listings: Vec<(Field, Arc<Listing>)>,
    /// Goes on listing what the plan can be made without.
    pub growth: Option<Growth>,
}

/// Makes the plan from what the references of the draft were found to point to.
///
/// # Errors
/// AWS would refuse what the plan asks for: every offending field is named, with its rule.
pub fn plan(package: &Package, draft: Draft, found: &[(Reference, Found)], layout: &Layout) -> Result<Plan> {
    let targets = Targets::of(found, &urls_elsewhere(package, &draft.request), layout)?;
    let rewritten = Rewritten::of(package, draft, &targets)?;
    if let Some(reference) = rewritten.unresolved().next() {
        bail!("{} was not looked up", reference.field);
    }
    let Rewritten { mut request, source_uri, references, not_carried: mut omitted } = rewritten;
    omitted.extend(not_carried(package.arn(), &request, &references, layout));
    add_provenance(&mut request, package.arn());
    let artifacts = Artifacts::new(found, layout)?;
    refuse_violations(&request, source_uri.as_deref(), package, &artifacts)?;
    let (source, layout, listings) = (package.arn().clone(), layout.clone(), listings(found));
    let not_carried = omitted;
    Ok(Plan { source, layout, artifacts, request, source_uri, references, not_carried, listings, growth: None })
}

fn listings(found: &[(Reference, Found)]) -> Vec<(Field, Arc<Listing>)> {
    let listing = |(reference, found): &(Reference, Found)| match found {
        Found::Objects(objects) => match &**objects {
            Objects::Below(listing) => Some((reference.field.clone(), Arc::clone(listing))),
            Objects::One(_) => None,
        },
        Found::Manifest(_) | Found::Output | Found::Nothing => None,
    };
    found.iter().filter_map(listing).collect()
}

impl Plan {
    /// What a reader should know: things that S3 allows and deployments stumble over, of what has been listed.
    pub fn warnings(&self) -> Vec<Warning> {
        let remarks = self.listings.iter().flat_map(|(field, listing)| {
            listing.remarks().into_iter().map(move |remark| Warning { field: field.to_string(), remark })
        });
        remarks.collect()
    }

    /// Why a stretch cannot be copied that has keys which S3 would not take.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn refusal_of_long_keys(&self, stretch: Stretch) -> Result<String> {
        let artifacts = self.artifacts.within(stretch).map(|item| item.map(|(_, artifact)| artifact));
        let refusal = refusal(&self.source, &long_keys(artifacts)?);
        let copied = match stretch.is_first() {
            true => String::new(),
            false => format!(
                "\nThis was listed after the first objects had been copied: they stay in {}, and nothing was registered",
                self.layout.folder()
            ),
        };
        Ok(refusal + &copied)
    }
}
