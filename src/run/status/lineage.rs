//! The lineage of a promoted version: its record, its artifacts, its images, its approval, and the fields in which it
//! differs from its source version.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::aws::accounts::TargetAccount;
use crate::aws::error::with_hints;
use crate::model::approval::DecidedBy;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::destination::Destination;
use crate::model::field::Document;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::package::changed_by;
use crate::model::promoted::PromotedVersion;
use crate::model::secrets::masked;
use crate::record::history::{History, Past};
use crate::record::signature::{Envelope, MAX_ENVELOPE_BYTES};
use crate::record::{ArtifactFacts, Record, SourcePackage, Verified};
use crate::run::settings::LineageSettings;
use crate::run::status::named_images::{NamedImage, named_images};
use crate::schema::comparison::{Difference, deviations};

/// Artifacts and differences that a lineage lists at most. It has the number of all. 400 lineages, two of each of 200
/// groups, need 25 MB with as many artifacts as this.
const LISTED: usize = 100;

/// The lineage of a promoted version.
#[derive(Debug, Default, Serialize)]
pub struct Lineage {
    /// The record that has the request that describes the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Location>,
    /// Why there is nothing from a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// When the run of the record ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<String>,
    /// The principal of that run in the target account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_by: Option<String>,
    /// The signature of the record, if there is one. It was not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureFacts>,
    /// The number of artifacts.
    pub artifacts: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// The number of artifacts by how each was verified.
    pub verified: BTreeMap<String, usize>,
    /// The first artifacts.
    pub first_artifacts: Vec<ArtifactFacts>,
    /// The images of the record; without any, those that the promoted version names.
    pub images: Vec<NamedImage>,
    /// The reason of the source version's approval status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_approval: Option<String>,
    /// Who has approved the source version, as far as SageMaker tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<Approver>,
    /// The principal that has last changed the source version, or has registered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_changed_by: Option<String>,
    /// Who has decided the approval status of the promoted version, by its newest record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<DecidedBy>,
    /// The reason of the promoted version's approval status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_approval: Option<String>,
    /// The principal that has last changed the promoted version, or has registered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_changed_by: Option<String>,
    /// Whether the source version was compared.
    pub compared: bool,
    /// The number of fields that differ.
    pub differing: usize,
    /// The first fields that differ: drift before what the promotion has set.
    pub differences: Vec<FieldDifference>,
}

/// The principal that made the last change to an Approved source version, before the approval was carried over if a
/// record says so. SageMaker does not tell what the change was.
#[derive(Debug, Serialize)]
pub struct Approver {
    /// The ARN of the principal.
    pub principal: String,
    /// When the version was changed.
    pub changed: String,
}

/// A signature that was found and not checked.
#[derive(Debug, Serialize)]
pub struct SignatureFacts {
    /// The location of the envelope.
    pub location: Location,
    /// The key that the envelope names. Only a check proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A field that differs between source version and promoted version. Secrets are masked.
#[derive(Debug, Serialize)]
pub struct FieldDifference {
    /// The field.
    pub field: String,
    /// The value at the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Value>,
    /// The value in the promoted version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promoted: Option<Value>,
    /// Whether the field drifts. Otherwise the promotion has set it.
    pub drift: bool,
}

/// Reads the lineage of promoted versions.
pub(in crate::run) struct LineageReader<'a> {
    pub target: &'a TargetAccount,
    pub settings: &'a LineageSettings,
    pub group: &'a GroupArn,
    pub caller: &'a str,
}

impl LineageReader<'_> {
    /// The lineage of a promoted version. A record that cannot be read is part of the result.
    pub async fn lineage(&self, drift: &[String], source: Option<&Document>, promoted: &PromotedVersion) -> Lineage {
        let mut lineage = Lineage {
            images: named_images(&promoted.description),
            target_approval: promoted.approval_description().map(str::to_owned),
            target_changed_by: changed_by(&promoted.description),
            compared: source.is_some(),
            ..Lineage::default()
        };
        if let Some(source) = source {
            lineage.source_approval = text(source, "ApprovalDescription");
            lineage.source_changed_by = changed_by(source);
            lineage.compare(drift, source, promoted);
        }
        if let Err(error) = self.add_record(promoted, &mut lineage).await {
            lineage.unread = Some(with_hints(&error));
        }
        lineage
    }

    async fn add_record(&self, promoted: &PromotedVersion, lineage: &mut Lineage) -> Result<()> {
        let Some(source) = promoted.source() else { return Ok(()) };
        let Some(destination) = self.destination(promoted, &source) else {
            let unknown = "the version refers to no promoted artifact; pass the bucket with `--target-bucket`";
            lineage.unread = Some(unknown.to_owned());
            return Ok(());
        };
        let layout = destination.layout(&source);
        let history = History::list(self.target.objects(), &layout).await?;
        let Some(past) = history.past(promoted) else {
            lineage.unread = Some(format!("{} has no record of this version", layout.folder()));
            return Ok(());
        };
        lineage.add(&past)?;
        let base: *const Record = past.base();
        let is_base = |record: &Record| std::ptr::eq(record, base);
        if let Some(stored) = history.of_version(promoted).find(|stored| stored.record.as_ref().is_ok_and(is_base)) {
            lineage.record = Some(stored.location.clone());
            if stored.signed {
                lineage.signature = Some(self.signature(&stored.location).await);
            }
        }
        Ok(())
    }

    /// The destination that the version was promoted to, from the settings or from the version's references.
    fn destination(&self, promoted: &PromotedVersion, source: &PackageArn) -> Option<Destination> {
        let LineageSettings { bucket, prefix, .. } = self.settings;
        Destination::given_or_found(bucket.as_ref(), prefix.as_ref(), (self.group, self.caller), promoted, source)
    }

    async fn signature(&self, record: &Location) -> SignatureFacts {
        let location = Layout::signature_of(record);
        let read = self.target.objects().read(&location, MAX_ENVELOPE_BYTES).await;
        let key = read.ok().flatten().and_then(|(text, _)| Envelope::parse(&text).ok()?.key().map(str::to_owned));
        SignatureFacts { location, key }
    }
}

impl Lineage {
    fn add(&mut self, past: &Past<'_>) -> Result<()> {
        let base = past.base();
        self.recorded = Some(base.ended.clone());
        self.recorded_by = base.target.as_ref().map(|target| target.caller.clone());
        self.decided_by = past.approval().map(|approval| approval.decided_by);
        self.approver = past.approved().and_then(Approver::of);
        if let Some(package) = base.source.package.as_ref().filter(|_| !self.compared) {
            self.source_approval.clone_from(&package.approval_description);
        }
        if !base.images.is_empty() {
            self.images = base.images.iter().map(NamedImage::of).collect();
        }
        for artifact in base.artifacts.iter() {
            let artifact = artifact?;
            self.artifacts += 1;
            self.bytes = self.bytes.saturating_add(artifact.bytes);
            *self.verified.entry(verified(artifact.verified).to_owned()).or_default() += 1;
            if self.first_artifacts.len() < LISTED {
                self.first_artifacts.push(artifact);
            }
        }
        Ok(())
    }

    fn compare(&mut self, drift: &[String], source: &Document, promoted: &PromotedVersion) {
        let found = deviations(source, &promoted.description).into_iter().filter(|found| !is_of_promote(found));
        let mut found: Vec<FieldDifference> = found.map(|found| FieldDifference::of(&found, drift)).collect();
        found.sort_by_key(|difference| !difference.drift);
        self.differing = found.len();
        found.truncate(LISTED);
        self.differences = found;
    }
}

/// Whether promote has added the field to the customer metadata.
fn is_of_promote(difference: &Difference) -> bool {
    difference.field().root() == "CustomerMetadataProperties" && difference.field().to_string().contains("{promote:")
}

impl FieldDifference {
    fn of(difference: &Difference, drift: &[String]) -> Self {
        let field = difference.field().to_string();
        let shown = |value: Option<&Value>| value.map(|value| masked(&field, value));
        Self {
            source: shown(difference.requested()),
            promoted: shown(difference.described()),
            drift: drift.contains(&field),
            field,
        }
    }
}

impl Approver {
    fn of(package: &SourcePackage) -> Option<Self> {
        let changed = package.modified.as_ref().unwrap_or(&package.created).clone();
        Some(Self { principal: package.changed_by.clone()?, changed })
    }
}

/// How an artifact was verified, as the document names it.
pub fn verified(verified: Option<Verified>) -> &'static str {
    match verified {
        Some(Verified::Bytes) => "bytes",
        Some(Verified::Checksum) => "checksum",
        Some(Verified::Etag) => "etag",
        Some(Verified::Size) => "size",
        None => "not verified",
    }
}

fn text(document: &Document, member: &str) -> Option<String> {
    document.get(member)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
