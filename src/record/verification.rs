//! Checks a promoted version against its records: the record itself, the fields of the version, and its artifacts.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::aws::objects::{Head, Listed};
use crate::model::approval::{ApprovalStatus, DecidedBy};
use crate::model::location::Location;
use crate::model::package_status::PackageStatus;
use crate::model::promoted::PromotedVersion;
use crate::plan::provenance::{is_digest_of, marked};
use crate::plan::sealed::{SEALED, sealed_fields};
use crate::record::facts::ArtifactFacts;
use crate::record::history::Past;
use crate::register::decision::RecordedApproval;
use crate::register::sync::{ChangeResult, edits};
use crate::store::List;

const STATUS: &str = "ModelApprovalStatus";
const ARCHIVED: &str = "the object is archived: SageMaker cannot read it before it is restored";
const DESCRIPTION: &str = "ApprovalDescription";

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The record beside the artifacts.
    Record,
    /// The signature of the record.
    Signature,
    /// The version in the target's registry, or one of its fields.
    Package,
    /// An object of the target.
    Artifact,
    /// A container image in the target account's registry.
    Image,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The subject equals the record.
    Identical,
    /// The subject differs from the record.
    Changed,
    /// The subject does not exist.
    Missing,
    /// Nothing is recorded to compare the subject with.
    Unverifiable,
    /// Somebody else has changed the subject, and the record says so.
    Kept,
}

/// The verdict on one record, signature, field or artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectVerdict {
    /// What the finding is about.
    pub subject: Subject,
    /// A field, a location or an ARN.
    pub name: String,
    /// The result of a check.
    pub verdict: Verdict,
    /// What was compared, or what differs.
    pub detail: String,
}

/// The findings of a verification.
#[derive(Debug, Default)]
pub struct Findings {
    /// The findings in the order of record, package and artifacts.
    pub all: List<SubjectVerdict>,
    /// The numbers of identical, changed, missing, unverifiable and kept findings.
    pub counts: [u64; 5],
}

impl Findings {
    /// Adds a finding.
    ///
    /// # Errors
    /// The temporary folder is full or cannot be written.
    pub fn add(&mut self, subject: Subject, name: &str, (verdict, detail): (Verdict, String)) -> Result<()> {
        self.counts[verdict as usize] += 1;
        self.all.push(&SubjectVerdict { subject, name: name.to_owned(), verdict, detail })?;
        Ok(())
    }

    /// The number of findings with this verdict.
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.counts[verdict as usize]
    }

    /// The worst verdict.
    pub fn worst(&self) -> Verdict {
        let worst = [Verdict::Changed, Verdict::Missing, Verdict::Unverifiable];
        worst.into_iter().find(|verdict| self.count(*verdict) > 0).unwrap_or(Verdict::Identical)
    }
}

/// Checks that the digest of the recorded request is the digest in the package's metadata.
pub fn record(past: &Past<'_>, promoted: &PromotedVersion, findings: &mut Findings, at: &Location) -> Result<()> {
    let request = past.request();
    let verdict = if is_digest_of(marked(&promoted.description), request) {
        (Verdict::Identical, "the digest of its request is the one in the package's metadata".to_owned())
    } else if promoted.source().is_none() && marked(&promoted.description).is_none() {
        let detail = "somebody has removed the metadata that promote has set; this record names the version";
        (Verdict::Changed, detail.to_owned())
    } else if is_digest_of(marked(request), request) {
        (Verdict::Changed, "the package's metadata has the digest of another request".to_owned())
    } else {
        (Verdict::Changed, "its request does not match the digest in its own metadata".to_owned())
    };
    findings.add(Subject::Record, &at.to_string(), verdict)
}

/// Compares every field of the package with the record. A field that somebody else has changed is `kept` if the record
/// has the change.
pub fn package(past: &Past<'_>, promoted: &PromotedVersion, findings: &mut Findings) -> Result<()> {
    let before = findings.count(Verdict::Changed);
    let state = past.state();
    for edit in edits(state.request, state.source_uri, &promoted.description) {
        let field = edit.field.to_string();
        let known = past.base().changes.iter().find(|change| change.explains(&field, edit.is.as_ref()));
        let verdict = match known.map(|change| change.result) {
            Some(ChangeResult::Added) => (Verdict::Kept, format!("{}; SageMaker has added it", edit.detail)),
            Some(_) => {
                (Verdict::Kept, format!("{}; somebody else has changed it, and the record says so", edit.detail))
            }
            None => (Verdict::Changed, edit.detail),
        };
        findings.add(Subject::Package, &field, verdict)?;
    }
    // A comparison with a record that has the digest finds no difference.
    for field in sealed_fields(&promoted.description) {
        findings.add(Subject::Package, &field, (Verdict::Changed, SEALED.to_owned()))?;
    }
    decision(past.approval().as_ref(), promoted, findings)?;
    if findings.count(Verdict::Changed) == before {
        let detail = "every other field equals the record".to_owned();
        findings.add(Subject::Package, promoted.arn.as_str(), (Verdict::Identical, detail))?;
    }
    Ok(())
}

/// Compares the approval of a Rejected version whose only records are about its rejection: nothing of it is served, so
/// nothing else has to be compared. Returns false for any other version.
///
/// # Errors
/// The temporary folder is full or cannot be written.
pub fn rejected(
    at: &Location,
    approval: &RecordedApproval,
    promoted: &PromotedVersion,
    findings: &mut Findings,
) -> Result<bool> {
    let is_rejected = promoted.approval() == ApprovalStatus::Rejected && approval.status == ApprovalStatus::Rejected;
    if !is_rejected {
        return Ok(false);
    }
    let detail = "the record is about the rejection; the promotion has no record, so that no field and no artifact is \
                  compared";
    findings.add(Subject::Record, &at.to_string(), (Verdict::Identical, detail.to_owned()))?;
    decision(Some(approval), promoted, findings)?;
    Ok(true)
}

/// Compares the status and the approval of the package with those that are recorded.
fn decision(approval: Option<&RecordedApproval>, promoted: &PromotedVersion, findings: &mut Findings) -> Result<()> {
    let (status, description) = match approval {
        Some(approval) => (Some(approval.status.as_str()), approval.description.as_deref()),
        None => (promoted.text(STATUS), promoted.approval_description()),
    };
    let expected = [
        ("ModelPackageStatus", promoted.text("ModelPackageStatus"), Some(PackageStatus::Completed.as_str())),
        (STATUS, promoted.text(STATUS), status),
        (DESCRIPTION, promoted.approval_description(), description),
    ];
    for (member, found, expected) in expected.into_iter().filter(|(_, found, expected)| found != expected) {
        let detail = format!("is {}, not {}", shown(found), shown(expected));
        findings.add(Subject::Package, member, (Verdict::Changed, detail))?;
    }
    let theirs = approval.is_some_and(|approval| approval.decided_by == DecidedBy::Target);
    if theirs && promoted.text(STATUS) == status {
        let detail =
            format!("is {}; somebody else has decided it, and the record says so", shown(promoted.text(STATUS)));
        findings.add(Subject::Package, STATUS, (Verdict::Kept, detail))?;
    }
    Ok(())
}

fn shown(text: Option<&str>) -> String {
    text.map_or_else(|| "absent".to_owned(), |text| format!("\"{text}\""))
}

/// What the listing of the folder says about an artifact.
pub enum Listing {
    /// The listing suffices for a verdict.
    Certain(Verdict, String),
    /// The ETag differs, or the object may be in an archive tier, so HeadObject has to say more.
    Head,
}

/// Compares an artifact with the listing.
pub fn listed(artifact: &ArtifactFacts, there: Option<&Listed>) -> Listing {
    let Some(there) = there else {
        let detail = "the object does not exist: `promote copy-artifacts` copies it again, if the source still has it";
        return Listing::Certain(Verdict::Missing, detail.into());
    };
    if there.archived {
        return Listing::Certain(Verdict::Changed, ARCHIVED.into());
    }
    if there.size != artifact.bytes {
        let detail = format!("its size is {} bytes, and was {}", there.size, artifact.bytes);
        return Listing::Certain(Verdict::Changed, detail);
    }
    if !there.tiered && artifact.target_etag.as_deref() == Some(there.etag.as_str()) {
        return Listing::Certain(Verdict::Identical, "the ETag is the recorded one".into());
    }
    Listing::Head
}

/// Compares an artifact with the answer to HeadObject: its tier, its ETag and its checksum.
pub fn head(artifact: &ArtifactFacts, head: &Head) -> (Verdict, String) {
    if head.archived {
        return (Verdict::Changed, ARCHIVED.into());
    }
    if artifact.target_etag.as_deref() == Some(head.etag.as_str()) {
        return (Verdict::Identical, "the ETag is the recorded one".into());
    }
    match (&artifact.checksum, &head.checksum, &artifact.target_etag) {
        (Some(then), Some(now), _) if then == now => {
            (Verdict::Identical, format!("its {} is the recorded one", then.algorithm))
        }
        (Some(then), Some(now), _) if then.algorithm == now.algorithm => {
            (Verdict::Changed, format!("its {} is {}, and was {}", now.algorithm, now.value, then.value))
        }
        (_, _, Some(then)) => (Verdict::Changed, format!("its ETag is {}, and was {then}", head.etag.as_str())),
        (_, _, None) => (Verdict::Unverifiable, "neither an ETag nor a checksum of the copy is recorded".into()),
    }
}
