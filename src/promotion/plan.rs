//! The plan of a promotion: a draft, what its references point to and the layout come in; the artifacts to copy, the
//! rewritten request and what stays come out. Pure: the same input gives the same plan, and nothing is called.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::arn::PackageArn;
use super::draft::{Draft, Left};
use super::field::{Document, Field, each_leaf};
use super::inventory::{Found, SourceObject};
use super::layout::{Layout, MAX_KEY_BYTES};
use super::left::what_stays;
use super::location::Location;
use super::package::{Package, digest};
use super::references::Reference;
use super::shapes::{Root, Violation, violations};

/// The customer metadata key that names the package a version was promoted from.
pub const SOURCE_KEY: &str = "promote:source-arn";
/// The customer metadata key that names the first package of a chain of promotions.
pub const ORIGIN_KEY: &str = "promote:origin-arn";
/// The customer metadata key with the digest of the request, before this key was in it.
pub const REQUEST_KEY: &str = "promote:request-sha256";

/// What a promotion will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The package version that is promoted.
    pub source: PackageArn,
    /// Where everything goes.
    pub layout: Layout,
    /// Each distinct object, in the order of bucket and key.
    pub artifacts: Vec<Artifact>,
    /// CreateModelPackage, complete but for the client token.
    pub request: Document,
    /// What the Update after it sets beside the approval.
    pub source_uri: Option<String>,
    /// What stays at the source, and why.
    pub left: Vec<Left>,
    /// What a reader should know: things that S3 allows and deployments stumble over.
    pub warnings: Vec<Warning>,
}

/// One object of the target bucket.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The source object.
    pub source: SourceObject,
    /// Where its copy goes.
    pub target: Location,
    /// Every member that refers to it.
    pub fields: Vec<Field>,
    /// What is written there.
    pub body: Body,
}

/// What is written to a target object.
#[derive(Debug, Clone)]
pub enum Body {
    /// The source's bytes.
    Copy,
    /// A manifest with its locations rewritten.
    Rewritten(Bytes),
}

impl Artifact {
    /// The size of the target object.
    pub fn bytes(&self) -> u64 {
        match &self.body {
            Body::Copy => self.source.bytes,
            Body::Rewritten(text) => text.len() as u64,
        }
    }
}

/// A remark that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The member it is about.
    pub field: String,
    /// What was seen.
    pub remark: String,
}

impl Plan {
    /// Bytes that will be in the target.
    pub fn bytes(&self) -> u64 {
        self.artifacts.iter().map(Artifact::bytes).sum()
    }
}

/// Makes the plan.
///
/// # Errors
/// AWS would refuse what the plan asks for: every offending field is named, with its rule.
pub fn plan(package: &Package, draft: Draft, found: &[(Reference, Found)], layout: &Layout) -> Result<Plan> {
    let Draft { mut request, mut left } = draft.without_etags();
    for (reference, found) in found {
        rewrite(&mut request, reference, found, layout)?;
    }
    rewrite_model_card(&mut request, found, layout);
    let source_uri = source_uri(package, found, layout, &mut left);
    left.extend(what_stays(package, &request, found, layout));
    add_provenance(&mut request, package)?;
    let artifacts = artifacts(found, layout)?;
    refuse_violations(&request, source_uri.as_deref(), package, &artifacts)?;
    let warnings = warnings(found);
    Ok(Plan { source: package.arn().clone(), layout: layout.clone(), artifacts, request, source_uri, left, warnings })
}

fn rewrite(request: &mut Document, reference: &Reference, found: &Found, layout: &Layout) -> Result<()> {
    let target = match found {
        Found::Nothing => return Ok(()),
        Found::Objects(_) | Found::Output => layout.copy_of(&reference.location),
        Found::Manifest { .. } => layout.rewritten(&reference.location),
    };
    match reference.field.get_mut(request) {
        Some(value) => *value = target.to_string().into(),
        None => bail!("{} was not carried into the request", reference.field),
    }
    Ok(())
}

/// Where the thing is that a URL names, if it was copied.
fn copy_of_url(url: &str, found: &[(Reference, Found)], layout: &Layout) -> Option<String> {
    let named = url.parse::<Location>().ok()?;
    let was_copied = found.iter().any(|(reference, found)| match found {
        Found::Objects(objects) => reference.location == named || objects.iter().any(|o| o.location == named),
        Found::Manifest { .. } | Found::Output | Found::Nothing => false,
    });
    was_copied.then(|| layout.copy_of(&named).to_string())
}

/// A card is a text of JSON. Its URLs are replaced in the text, so that everything else stays to the letter.
fn rewrite_model_card(request: &mut Document, found: &[(Reference, Found)], layout: &Layout) {
    let field = Field::top("ModelCard").member("ModelCardContent");
    let Some(Value::String(card)) = field.get_mut(request) else { return };
    let Ok(Value::Object(content)) = serde_json::from_str(card) else { return };
    let mut rewritten = BTreeMap::new();
    each_leaf(&content, &mut |_, value| {
        if let Some(copy) = value.as_str().and_then(|url| copy_of_url(url, found, layout)) {
            rewritten.insert(value.to_string(), Value::from(copy).to_string());
        }
    });
    for (source, copy) in rewritten {
        *card = card.replace(&source, &copy);
    }
}

/// A SourceUri that names a model or package would make SageMaker fill the specification from it.
fn source_uri(
    package: &Package,
    found: &[(Reference, Found)],
    layout: &Layout,
    left: &mut Vec<Left>,
) -> Option<String> {
    let uri = package.text("SourceUri")?;
    let field = Field::top("SourceUri");
    if uri.starts_with("arn:") {
        let reason = "SageMaker would clone what an ARN names instead of taking this package; it is in the record";
        left.push(Left::new(&field, uri, reason));
        return None;
    }
    if let Some(copy) = copy_of_url(uri, found, layout) {
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

fn artifacts(found: &[(Reference, Found)], layout: &Layout) -> Result<Vec<Artifact>> {
    let mut by_target: BTreeMap<Location, Artifact> = BTreeMap::new();
    let mut add = |source: &SourceObject, target: Location, field: &Field, body: Body| {
        let artifact = by_target.entry(target.clone()).or_insert_with(|| Artifact {
            source: source.clone(),
            target,
            fields: Vec::new(),
            body,
        });
        if artifact.source.head.is_none() {
            artifact.source.head.clone_from(&source.head);
        }
        artifact.fields.push(field.clone());
    };
    for (Reference { field, .. }, found) in found {
        match found {
            Found::Objects(objects) => {
                objects.iter().for_each(|object| add(object, layout.copy_of(&object.location), field, Body::Copy));
            }
            Found::Manifest { object, manifest, named } => {
                let text = manifest.rewritten(|location| layout.copy_of(location))?;
                add(object, layout.rewritten(&object.location), field, Body::Rewritten(text));
                named.iter().for_each(|object| add(object, layout.copy_of(&object.location), field, Body::Copy));
            }
            Found::Output | Found::Nothing => {}
        }
    }
    Ok(by_target.into_values().collect())
}

fn refuse_violations(
    request: &Document,
    source_uri: Option<&str>,
    package: &Package,
    artifacts: &[Artifact],
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
    found.extend(artifacts.iter().filter(|artifact| artifact.target.key.len() > MAX_KEY_BYTES).map(|artifact| {
        let bytes = artifact.target.key.len();
        let reason =
            format!("would be copied to a key of {bytes} bytes; S3 allows {MAX_KEY_BYTES}: {}", artifact.target);
        Violation::new(artifact.fields[0].clone(), reason)
    }));
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = found.iter().map(|v| format!("  {} {}", v.field, v.reason)).collect();
    bail!(
        "{} cannot be promoted as it is; AWS would refuse the copy:\n{}\nShorten the target prefix or group name where \
         a location is too long; correct the rest in the source, or register a package without it",
        package.arn(),
        lines.join("\n")
    )
}

fn warnings(found: &[(Reference, Found)]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (reference, found) in found {
        if let Found::Objects(objects) = found {
            let remarks = super::traps::traps(&reference.location, objects);
            warnings.extend(remarks.into_iter().map(|remark| Warning { field: reference.field.to_string(), remark }));
        }
    }
    warnings
}
