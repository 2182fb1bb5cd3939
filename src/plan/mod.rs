//! The plan of a promotion: a draft, what its references point to and the layout come in; the artifacts to copy, the
//! rewritten request and what stays come out. Pure: the same input gives the same plan, and nothing is called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::arn::PackageArn;
use crate::model::field::{Document, Field, each_leaf};
use crate::model::layout::{Layout, MAX_KEY_BYTES};
use crate::model::location::Location;
use crate::model::package::{Package, digest};
use crate::model::promoted::{ORIGIN_KEY, REQUEST_KEY, SOURCE_KEY};
use crate::plan::artifacts::{Artifact, Artifacts, Stretch};
use crate::plan::draft::Draft;
use crate::plan::growth::Growth;
use crate::plan::inventory::{Found, Objects};
use crate::plan::listing::Listing;
use crate::plan::not_carried::{NotCarried, not_carried};
use crate::schema::references::Reference;
use crate::schema::shapes::{Root, Violation, violations};

pub mod artifacts;
pub mod draft;
pub mod find;
pub mod growth;
pub mod inventory;
pub mod listing;
pub mod manifest;
pub mod not_carried;
pub mod path_warnings;
pub mod rewriting;

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
    /// The fields that are not carried over, and why.
    pub not_carried: Vec<NotCarried>,
    /// The prefixes, each with a member that refers to it.
    listings: Vec<(Field, Arc<Listing>)>,
    /// Goes on listing what the plan can be made without.
    pub growth: Option<Growth>,
}

/// A remark that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The member it is about.
    pub field: String,
    /// What was seen.
    pub remark: String,
}

/// Makes the plan.
///
/// # Errors
/// AWS would refuse what the plan asks for: every offending field is named, with its rule.
pub fn plan(package: &Package, draft: Draft, found: &[(Reference, Found)], layout: &Layout) -> Result<Plan> {
    let Draft { mut request, not_carried: mut omitted } = draft.without_etags();
    for (reference, found) in found {
        rewrite(&mut request, reference, found, layout)?;
    }
    let copies = CopiesOfUrls::of(&urls_elsewhere(package, &request), found, layout)?;
    rewrite_model_card(&mut request, &copies);
    let source_uri = source_uri(package, &copies, &mut omitted);
    omitted.extend(not_carried(package, &request, found, layout));
    add_provenance(&mut request, package)?;
    let artifacts = Artifacts::new(found, layout)?;
    refuse_violations(&request, source_uri.as_deref(), package, &artifacts)?;
    let (source, layout, listings) = (package.arn().clone(), layout.clone(), listings(found));
    Ok(Plan { source, layout, artifacts, request, source_uri, not_carried: omitted, listings, growth: None })
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

fn rewrite(request: &mut Document, reference: &Reference, found: &Found, layout: &Layout) -> Result<()> {
    let target = match found {
        Found::Nothing => return Ok(()),
        Found::Objects(_) | Found::Output => layout.copy_of(&reference.location),
        Found::Manifest(_) => layout.rewritten(&reference.location),
    };
    match reference.field.get_mut(request) {
        Some(value) => *value = target.to_string().into(),
        None => bail!("{} was not carried into the request", reference.field),
    }
    Ok(())
}

/// The URLs in fields that are no references: they follow what was copied, and cause no copy.
pub fn urls_elsewhere(package: &Package, request: &Document) -> BTreeSet<Location> {
    let mut urls: BTreeSet<Location> = package.text("SourceUri").and_then(|uri| uri.parse().ok()).into_iter().collect();
    if let Some(content) = card(request) {
        each_leaf(&content, &mut |_, value| urls.extend(value.as_str().and_then(|url| url.parse::<Location>().ok())));
    }
    urls
}

/// What the package's model card says.
fn card(request: &Document) -> Option<Document> {
    let card = request.get("ModelCard")?.get("ModelCardContent")?.as_str()?;
    serde_json::from_str(card).ok()
}

/// Where the things are that URLs name, of those that were copied.
struct CopiesOfUrls(BTreeMap<Location, Location>);

impl CopiesOfUrls {
    fn of(urls: &BTreeSet<Location>, found: &[(Reference, Found)], layout: &Layout) -> Result<Self> {
        let mut copied = BTreeMap::new();
        for (reference, found) in found {
            let Found::Objects(objects) = found else { continue };
            if urls.contains(&reference.location) {
                copied.insert(reference.location.clone(), layout.copy_of(&reference.location));
            }
            if urls.iter().any(|url| is_at(url, objects)) {
                for object in objects.iter() {
                    let at = object?.location;
                    if urls.contains(&at) {
                        copied.insert(at.clone(), layout.copy_of(&at));
                    }
                }
            }
        }
        Ok(Self(copied))
    }

    fn get(&self, url: &str) -> Option<String> {
        Some(self.0.get(&url.parse().ok()?)?.to_string())
    }
}

/// Whether an object may be in this place by its key.
fn is_at(object: &Location, place: &Objects) -> bool {
    let at = place.location();
    object.bucket == at.bucket && object.key.starts_with(&at.key)
}

/// A card is a text of JSON. Its URLs are replaced in the text, so that everything else stays to the letter.
fn rewrite_model_card(request: &mut Document, copies: &CopiesOfUrls) {
    let field = Field::top("ModelCard").member("ModelCardContent");
    let Some(content) = card(request) else { return };
    let Some(Value::String(card)) = field.get_mut(request) else { return };
    let mut rewritten = BTreeMap::new();
    each_leaf(&content, &mut |_, value| {
        if let Some(copy) = value.as_str().and_then(|url| copies.get(url)) {
            rewritten.insert(value.to_string(), Value::from(copy).to_string());
        }
    });
    for (source, copy) in rewritten {
        *card = card.replace(&source, &copy);
    }
}

/// A SourceUri that names a model or package would make SageMaker fill the specification from it.
fn source_uri(package: &Package, copies: &CopiesOfUrls, omitted: &mut Vec<NotCarried>) -> Option<String> {
    let uri = package.text("SourceUri")?;
    let field = Field::top("SourceUri");
    if uri.starts_with("arn:") {
        let reason = "SageMaker would clone what an ARN names instead of taking this package; it is in the record";
        omitted.push(NotCarried::new(&field, uri, reason));
        return None;
    }
    if let Some(copy) = copies.get(uri) {
        return Some(copy);
    }
    if Location::is_claimed_by(uri) {
        omitted.push(NotCarried::new(
            &field,
            uri,
            "nothing else refers to it, so it is carried as it is and not copied",
        ));
    }
    Some(uri.to_owned())
}

fn add_provenance(request: &mut Document, package: &Package) -> Result<()> {
    let mut metadata = match request.shift_remove("CustomerMetadataProperties") {
        Some(Value::Object(metadata)) => metadata,
        _ => Document::new(),
    };
    let promoted_before = metadata.shift_remove(SOURCE_KEY);
    let origin = metadata.shift_remove(ORIGIN_KEY).or(promoted_before);
    metadata.shift_remove(REQUEST_KEY);
    metadata.insert(SOURCE_KEY.into(), package.arn().as_str().into());
    if let Some(origin) = origin {
        metadata.insert(ORIGIN_KEY.into(), origin);
    }
    request.insert("CustomerMetadataProperties".into(), metadata.into());
    let digest = digest(request);
    request["CustomerMetadataProperties"][REQUEST_KEY] = digest.into();
    Ok(())
}

fn refuse_violations(
    request: &Document,
    source_uri: Option<&str>,
    package: &Package,
    artifacts: &Artifacts,
) -> Result<()> {
    let mut found = violations(Root::Create, request);
    let metadata = Field::top("CustomerMetadataProperties");
    for violation in found.iter_mut().filter(|violation| violation.field == metadata) {
        violation.reason += &format!(", and {SOURCE_KEY} and {REQUEST_KEY} are added to the source's");
    }
    let mut update = Document::new();
    let update_members = [("SourceUri", source_uri), ("ApprovalDescription", package.text("ApprovalDescription"))];
    update.insert("ModelPackageArn".into(), package.arn().as_str().into());
    update.extend(update_members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
    found.extend(violations(Root::Update, &update));
    found.extend(long_keys(artifacts.iter())?);
    ensure!(found.is_empty(), refusal(package.arn(), &found));
    Ok(())
}

fn refusal(source: &PackageArn, violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(|v| format!("  {} {}", v.field, v.reason)).collect();
    format!(
        "{source} cannot be promoted as it is; AWS would refuse the copy:\n{}\nShorten the target prefix or group name \
         where a location is too long; correct the rest in the source, or register a package without it",
        lines.join("\n")
    )
}

/// The first copies that S3 would not take: with a long prefix it would be all of them.
fn long_keys(artifacts: impl Iterator<Item = Result<Artifact>>) -> Result<Vec<Violation>> {
    const NAMED: usize = 20;
    let is_long = |artifact: &Result<Artifact>| match artifact {
        Ok(artifact) => artifact.has_long_key(),
        Err(_) => true,
    };
    let violation = |artifact: Result<Artifact>| {
        let Artifact { target, fields, .. } = artifact?;
        let bytes = target.key.len();
        let reason = format!("would be copied to a key of {bytes} bytes; S3 allows {MAX_KEY_BYTES}: {target}");
        Ok(Violation::new(fields[0].clone(), reason))
    };
    artifacts.filter(is_long).take(NAMED).map(violation).collect()
}

fn listings(found: &[(Reference, Found)]) -> Vec<(Field, Arc<Listing>)> {
    let listing = |(reference, found): &(Reference, Found)| match found {
        Found::Objects(objects) => match &**objects {
            Objects::Below(listing) => Some((reference.field.clone(), Arc::clone(listing))),
            Objects::One(_) => None,
        },
        _ => None,
    };
    found.iter().filter_map(listing).collect()
}
