//! Lists the fields that are not carried over, and the fields that still refer to the source account.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::arn::PackageArn;
use crate::model::field::{Document, Field, each_leaf};
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::plan::resolved::Resolved;
use crate::schema::references::{is_one_url, is_served_by_hub};

/// A field that is not carried over, or whose value still refers to the source account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCarried {
    /// The field of the source package.
    pub field: String,
    /// The value in the source package.
    pub value: String,
    /// The reason, and what to do about it.
    pub reason: String,
}

impl NotCarried {
    pub(crate) fn new(field: &Field, value: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.to_string(), value: value.into(), reason: reason.into() }
    }
}

/// Lists the fields of the request that refer to resources of the source account that are not copied.
pub fn not_carried(
    source: &PackageArn,
    request: &Document,
    references: &[Resolved],
    layout: &Layout,
) -> Vec<NotCarried> {
    let mut listed = Vec::new();
    each_leaf(request, &mut |field, value| {
        let Value::String(text) = value else { return };
        if was_rewritten(field, references) {
            return;
        }
        if *field == Field::top("ModelCard").member("ModelCardContent") {
            listed.extend(urls_of_card(field, text, layout));
        } else if let Some(reason) =
            reason_at_source(request, references, field).or_else(|| reason(source, field, text))
        {
            listed.push(NotCarried::new(field, text.as_str(), reason));
        }
    });
    listed
}

fn was_rewritten(field: &Field, references: &[Resolved]) -> bool {
    references.iter().any(|resolved| resolved.reference.field == *field && resolved.target.is_some())
}

/// Why a reference is not copied.
fn reason_at_source(request: &Document, references: &[Resolved], field: &Field) -> Option<String> {
    let is_location = matches!(field.name(), Some("S3Uri" | "ManifestS3Uri"));
    if is_location && is_served_by_hub(request, field) {
        return Some("a hub serves the object (HubAccessConfig), so the URL is carried over unchanged".into());
    }
    let is_missing = |resolved: &&Resolved| resolved.reference.field == *field && resolved.reference.is_report();
    let reason = "nothing exists there, so the URL is carried over unchanged (--ignore-missing-reports)";
    references.iter().find(is_missing).map(|_| reason.into())
}

fn reason(source: &PackageArn, field: &Field, text: &str) -> Option<String> {
    match field.name() {
        Some("Image") => return Some(image_reason(text)),
        Some("ProductId") => return Some("the target account needs the same Marketplace subscription".into()),
        Some("HubContentArn" | "HubContentName") => {
            return Some("the target account needs access to this hub content".into());
        }
        // The draft replaces and lists these fields.
        Some("AlgorithmName" | "ValidationRole") => return None,
        Some("KmsKeyId") if field.root() == "SecurityConfig" => return None,
        Some("KmsKeyId" | "VolumeKmsKeyId") => {
            return Some("the target's validation job needs access to this key".into());
        }
        _ => {}
    }
    let environment = field.pattern().ends_with(".Environment{}");
    if environment && is_one_url(text) {
        return Some(match text.parse::<Location>() {
            Ok(location) if location.key.is_empty() => "the value names a whole bucket, which is not copied".into(),
            _ => "nothing exists there, so the value is carried over unchanged".into(),
        });
    }
    if text.contains("s3://") || Location::is_claimed_by(text) {
        return Some("the field is not a reference, so the value is carried over unchanged and not copied".into());
    }
    text.contains(source.account().as_str())
        .then(|| "the value names the source account and is carried over unchanged".into())
}

fn image_reason(image: &str) -> String {
    match image.split_once(".dkr.ecr.") {
        Some((account, rest)) => {
            let region = rest.split('.').next().unwrap_or_default();
            format!("SageMaker in the target must be able to pull it from account {account} in {region}")
        }
        None => "SageMaker in the target must be able to pull it".into(),
    }
}

/// Lists the URLs in a model card that are not copied. The card keeps them.
fn urls_of_card(field: &Field, card: &str, layout: &Layout) -> Vec<NotCarried> {
    let Ok(Value::Object(content)) = serde_json::from_str::<Value>(card) else { return Vec::new() };
    let copies = layout.folder().to_string();
    let mut listed = Vec::new();
    each_leaf(&content, &mut |inner, value| {
        if let Some(text) = value.as_str().filter(|text| Location::is_claimed_by(text) && !text.starts_with(&copies)) {
            listed.push(NotCarried {
                field: format!("{field}.{inner}"),
                value: text.to_owned(),
                reason: "the text of the card is carried over unchanged".into(),
            });
        }
    });
    listed
}
