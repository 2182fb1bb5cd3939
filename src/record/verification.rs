//! Checks a promoted version against its records: the record itself, the fields of the version, and its artifacts.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::objects::Listed;
use crate::model::approval::ApprovalStatus;
use crate::model::field::Document;
use crate::model::location::Location;
use crate::model::package::digest;
use crate::model::package_status::PackageStatus;
use crate::model::promoted::{PromotedVersion, REQUEST_KEY, WITHDRAWN};
use crate::record::document::{Conclusion, Record};
use crate::record::facts::ArtifactFacts;
use crate::record::history::Past;
use crate::schema::comparison::differences;
use crate::store::List;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The record beside the artifacts.
    Record,
    /// Its signature.
    Signature,
    /// The version in the target's registry, or one of its fields.
    Package,
    /// An object of the target.
    Artifact,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is what was promoted.
    Identical,
    /// It is something else.
    Changed,
    /// It is not there.
    Missing,
    /// Nothing is recorded that it could be compared with.
    Unverifiable,
}

/// A verdict on one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What kind of thing.
    pub subject: Subject,
    /// Which one: a field, a location or an ARN.
    pub name: String,
    /// What was found.
    pub verdict: Verdict,
    /// By what that is known, or what differs.
    pub detail: String,
}

/// All verdicts.
#[derive(Debug, Default)]
pub struct Findings {
    /// Each, in the order of record, package, artifacts.
    pub all: List<Finding>,
    /// How many are identical, changed, missing, and unverifiable.
    pub counts: [u64; 4],
}

impl Findings {
    /// Adds one.
    ///
    /// # Errors
    /// The temporary folder is full or cannot be written.
    pub fn add(&mut self, subject: Subject, name: &str, (verdict, detail): (Verdict, String)) -> Result<()> {
        self.counts[verdict as usize] += 1;
        self.all.push(&Finding { subject, name: name.to_owned(), verdict, detail })?;
        Ok(())
    }

    /// How many have this verdict.
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.counts[verdict as usize]
    }

    /// The worst of all.
    pub fn worst(&self) -> Verdict {
        let worst = [Verdict::Changed, Verdict::Missing, Verdict::Unverifiable];
        worst.into_iter().find(|verdict| self.count(*verdict) > 0).unwrap_or(Verdict::Identical)
    }
}

/// Whether the record is consistent with itself and with the package: the package's metadata holds the digest of the
/// request that made it.
pub fn record(past: &Past<'_>, promoted: &PromotedVersion, findings: &mut Findings, at: &Location) -> Result<()> {
    let request = past.first_request();
    let digest = request_digest(request);
    let verdict = if marked(&promoted.description) == Some(&digest) {
        (Verdict::Identical, "its request is the one that the package names by its digest".to_owned())
    } else if marked(request) == Some(&digest) {
        (Verdict::Changed, "the package names a request of another digest".to_owned())
    } else {
        (Verdict::Changed, "its request has another digest than it says itself".to_owned())
    };
    findings.add(Subject::Record, &at.to_string(), verdict)
}

fn request_digest(request: &Document) -> String {
    let mut request = request.clone();
    if let Some(Value::Object(metadata)) = request.get_mut("CustomerMetadataProperties") {
        metadata.shift_remove(REQUEST_KEY);
    }
    digest(&request)
}

fn marked(document: &Document) -> Option<&str> {
    document.get("CustomerMetadataProperties")?.get(REQUEST_KEY)?.as_str()
}

/// Holds every field of the package against the record.
pub fn package(past: &Past<'_>, promoted: &PromotedVersion, findings: &mut Findings) -> Result<()> {
    let before = findings.count(Verdict::Changed);
    let mut changed = |field: &str, detail: String| findings.add(Subject::Package, field, (Verdict::Changed, detail));
    for difference in differences(past.request(), &promoted.description) {
        changed(&difference.field().to_string(), difference.to_string())?;
    }
    let newest = past.newest();
    let expected = [
        ("ModelPackageStatus", Some(PackageStatus::Completed.as_str())),
        ("ModelApprovalStatus", past.approval().map(ApprovalStatus::as_str)),
        ("SourceUri", past.base().source_uri.as_deref()),
    ];
    for (member, expected) in expected {
        let found = promoted.text(member);
        let unasked = member == "SourceUri" && expected.is_none() && found.is_some();
        if expected.is_some() && found != expected || unasked {
            changed(member, format!("is {}, not {}", shown(found), shown(expected)))?;
        }
    }
    if let Some(detail) = reason(newest, promoted) {
        changed("ApprovalDescription", detail)?;
    }
    if findings.count(Verdict::Changed) == before {
        let detail = "every field is as it was recorded".to_owned();
        findings.add(Subject::Package, promoted.arn.as_str(), (Verdict::Identical, detail))?;
    }
    Ok(())
}

fn shown(text: Option<&str>) -> String {
    text.map_or_else(|| "absent".to_owned(), |text| format!("\"{text}\""))
}

/// The approval description that the newest record tells, where it tells one.
fn reason(newest: &Record, promoted: &PromotedVersion) -> Option<String> {
    let found = promoted.text("ApprovalDescription").filter(|text| !text.is_empty());
    if newest.outcome == Conclusion::Withdrawn {
        let kept = found.is_some_and(|text| text.starts_with(WITHDRAWN));
        return (!kept).then(|| format!("is {}, not that it was withdrawn", shown(found)));
    }
    let source = newest.source.package.as_ref()?;
    let target = newest.target.as_ref()?.approval_status.as_ref()?;
    let carried = *target == source.approval_status && newest.outcome != Conclusion::Updated;
    let expected = source.approval_description.as_deref();
    let kept = !carried || found == expected || expected.is_none() && newest.outcome == Conclusion::ApprovedAgain;
    (!kept).then(|| format!("is {}, not {}", shown(found), shown(expected)))
}

/// What the listing tells about an artifact.
pub enum Listing {
    /// That much is certain.
    Certain(Verdict, String),
    /// Its checksum has to tell.
    Checksum,
}

/// Holds an artifact against the listing.
pub fn listed(artifact: &ArtifactFacts, there: Option<&Listed>) -> Listing {
    let Some(there) = there else { return Listing::Certain(Verdict::Missing, "there is no such object".into()) };
    if there.size != artifact.bytes {
        let detail = format!("it has {} bytes, and had {}", there.size, artifact.bytes);
        return Listing::Certain(Verdict::Changed, detail);
    }
    if artifact.target_etag.as_deref() == Some(there.etag.as_str()) {
        return Listing::Certain(Verdict::Identical, "the ETag is the recorded one".into());
    }
    Listing::Checksum
}

/// Holds an artifact whose ETag is another one against its checksum.
pub fn checksum(artifact: &ArtifactFacts, etag: &str, crc64nvme: Option<&str>) -> (Verdict, String) {
    match (&artifact.crc64nvme, crc64nvme, &artifact.target_etag) {
        (Some(then), Some(now), _) if then == now => (Verdict::Identical, "its CRC64NVME is the recorded one".into()),
        (Some(then), Some(now), _) => (Verdict::Changed, format!("its CRC64NVME is {now}, and was {then}")),
        (_, _, Some(then)) => (Verdict::Changed, format!("its ETag is {etag}, and was {then}")),
        (_, _, None) => (Verdict::Unverifiable, "neither an ETag nor a checksum of the copy is recorded".into()),
    }
}
