//! The plan of a promotion: the artifacts to copy, the rewritten request, and what is not carried over. Pure: the same
//! input gives the same plan, and nothing is called.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::arn::PackageArn;
use crate::model::field::{Document, Field, each_leaf};
use crate::model::layout::{Layout, MAX_KEY_BYTES};
use crate::model::location::Location;
use crate::model::package::{Package, digest};
use crate::plan::artifact::Artifact;
use crate::plan::artifacts::Artifacts;
use crate::plan::draft::{Draft, Left};
use crate::plan::inventory::{Found, Inventory};
use crate::plan::not_carried::what_stays;
use crate::schema::references::Reference;
use crate::schema::shapes::{Root, Violation, violations};

pub mod artifact;
pub mod artifacts;
pub mod draft;
pub mod find;
pub mod inventory;
pub mod manifest;
mod not_carried;
pub mod path_warnings;
pub mod rewriting;

/// The customer metadata key that names the package a version was promoted from.
pub const SOURCE_KEY: &str = "promote:source-arn";
/// The customer metadata key that names the first package of a chain of promotions.
pub const ORIGIN_KEY: &str = "promote:origin-arn";
/// The customer metadata key with the digest of the request, before this key was in it.
pub const REQUEST_KEY: &str = "promote:request-sha256";

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
    /// What stays at the source, and why.
    pub left: Vec<Left>,
    /// What a reader should know: things that S3 allows and deployments stumble over.
    pub warnings: Vec<Warning>,
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
pub fn plan(package: &Package, draft: Draft, inventory: Inventory, layout: &Layout) -> Result<Plan> {
    let Inventory { found, artifacts } = inventory;
    let Draft { mut request, mut left } = draft.without_etags();
    for (reference, found) in &found {
        rewrite(&mut request, reference, found, layout)?;
    }
    let copies = CopiesOfUrls::of(&urls_elsewhere(package, &request), &found, &artifacts, layout)?;
    rewrite_model_card(&mut request, &copies);
    let source_uri = source_uri(package, &copies, &mut left);
    left.extend(what_stays(package, &request, &found, layout));
    add_provenance(&mut request, package)?;
    refuse_violations(&request, source_uri.as_deref(), package, &artifacts)?;
    let (source, layout, warnings) = (package.arn().clone(), layout.clone(), warnings(&found));
    Ok(Plan { source, layout, artifacts, request, source_uri, left, warnings })
}

fn warnings(found: &[(Reference, Found)]) -> Vec<Warning> {
    let remarks = found.iter().flat_map(|(reference, found)| match found {
        Found::Prefix(remarks) => remarks.iter().map(|remark| (&reference.field, remark)).collect(),
        Found::Object(_) | Found::Manifest(_) | Found::Output | Found::Nothing => Vec::new(),
    });
    remarks.map(|(field, remark)| Warning { field: field.to_string(), remark: remark.clone() }).collect()
}

fn rewrite(request: &mut Document, reference: &Reference, found: &Found, layout: &Layout) -> Result<()> {
    let target = match found {
        Found::Nothing => return Ok(()),
        Found::Object(_) | Found::Prefix(_) | Found::Output => layout.copy_of(&reference.location),
        Found::Manifest(_) => layout.rewritten(&reference.location),
    };
    match reference.field.get_mut(request) {
        Some(value) => *value = target.to_string().into(),
        None => bail!("{} was not carried into the request", reference.field),
    }
    Ok(())
}

/// The URLs in fields that are no references: they follow what was copied, and cause no copy.
fn urls_elsewhere(package: &Package, request: &Document) -> BTreeSet<Location> {
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
    fn of(
        urls: &BTreeSet<Location>,
        found: &[(Reference, Found)],
        artifacts: &Artifacts,
        layout: &Layout,
    ) -> Result<Self> {
        let is_copied = |reference: &Reference, found: &Found| match found {
            Found::Object(_) | Found::Prefix(_) => urls.contains(&reference.location),
            Found::Manifest(_) | Found::Output | Found::Nothing => false,
        };
        let references = found.iter().filter(|(reference, found)| is_copied(reference, found));
        let mut copied: BTreeSet<&Location> = references.map(|(reference, _)| &reference.location).collect();
        for url in urls {
            if artifacts.contains(url)? {
                copied.insert(url);
            }
        }
        Ok(Self(copied.into_iter().map(|url| (url.clone(), layout.copy_of(url))).collect()))
    }

    fn get(&self, url: &str) -> Option<String> {
        Some(self.0.get(&url.parse().ok()?)?.to_string())
    }
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
fn source_uri(package: &Package, copies: &CopiesOfUrls, left: &mut Vec<Left>) -> Option<String> {
    let uri = package.text("SourceUri")?;
    let field = Field::top("SourceUri");
    if uri.starts_with("arn:") {
        let reason = "SageMaker would clone what an ARN names instead of taking this package; it is in the record";
        left.push(Left::new(&field, uri, reason));
        return None;
    }
    if let Some(copy) = copies.get(uri) {
        return Some(copy);
    }
    if Location::is_claimed_by(uri) {
        left.push(Left::new(&field, uri, "nothing else refers to it, so it is carried as it is and not copied"));
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
    found.extend(artifacts.with_long_keys()?.into_iter().map(long_key));
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

fn long_key(artifact: Artifact) -> Violation {
    let Artifact { target, fields, .. } = artifact;
    let bytes = target.key.len();
    let reason = format!("would be copied to a key of {bytes} bytes; S3 allows {MAX_KEY_BYTES}: {target}");
    Violation::new(fields[0].clone(), reason)
}
