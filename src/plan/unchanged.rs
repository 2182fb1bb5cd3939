//! Lists the fields of a request that still refer to the source account.

use serde_json::Value;

use crate::model::arn::AccountId;
use crate::model::field::{Document, Field, each_leaf, is_map};
use crate::model::image::{EcrImage, ImageUri, Repository};
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::secrets::sealed_text;
use crate::plan::aws_registries::is_provided;
use crate::plan::inventory::Found;
use crate::plan::not_carried::NotCarried;
use crate::plan::rewriting::Targets;
use crate::schema::references::{Reference, is_one_url, is_served_by_hub};

/// Lists the fields of the request that refer to resources of the source account that are not copied.
pub(super) fn unchanged(
    package: &Package,
    request: &Document,
    found: &[(Reference, Found)],
    targets: &Targets,
) -> Vec<NotCarried> {
    let look = RequestText { account: package.arn().account(), request, targets };
    let mut listed = Vec::new();
    each_leaf(request, &mut |field, value| {
        let Value::String(text) = value else { return };
        let reference = found.iter().find(|(reference, _)| reference.field == *field);
        match reference.map(|(_, found)| found) {
            Some(Found::Object(_) | Found::Prefix(_) | Found::Manifest(_) | Found::Output) => {}
            Some(Found::Nothing) => {
                let reason = "nothing exists there, so the URL is carried over unchanged (`--ignore-missing-reports`)";
                listed.push(NotCarried::new(field, text.as_str(), reason));
            }
            Some(Found::NotCopied(why)) => {
                let reason = format!("{why}, so the value is carried over unchanged");
                listed.push(NotCarried::new(field, text.as_str(), reason));
            }
            None if *field == Field::top("ModelCard").member("ModelCardContent") => {
                listed.extend(look.urls_of_card(field, text));
            }
            None => listed.extend(look.resource(field, text).or_else(|| look.text(field, text))),
        }
    });
    listed
}

struct RequestText<'a> {
    account: &'a AccountId,
    request: &'a Document,
    targets: &'a Targets,
}

/// A URL without its query, which may have the signature of a presigned URL.
fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

impl RequestText<'_> {
    /// A resource that a promotion does not copy.
    fn resource(&self, field: &Field, text: &str) -> Option<NotCarried> {
        let listed = |reason: &str| Some(NotCarried::new(field, text, reason));
        // The keys of a map are chosen freely.
        let member = field.name().filter(|_| !is_map(&field.parent()));
        match member {
            Some("S3Uri" | "ManifestS3Uri") if is_served_by_hub(self.request, field) => {
                listed("a hub serves the object (HubAccessConfig), so the URL is carried over unchanged")
                    .map(NotCarried::informational)
            }
            Some("Image") if self.targets.is_image(text) => None,
            Some("Image") if is_provided(text) => listed("AWS provides the image").map(NotCarried::informational),
            Some("Image") => listed(&image_reason(text)),
            Some("ProductId") => listed("the target account needs the same Marketplace subscription"),
            Some("HubContentArn") if text.contains(":aws:hub-content/") => {
                listed("AWS provides the hub content").map(NotCarried::informational)
            }
            Some("HubContentArn") => listed("the target account needs access to this hub content"),
            Some("HubContentName") => {
                listed("the hub content that the model was made from").map(NotCarried::informational)
            }
            Some("KmsKeyId" | "VolumeKmsKeyId") if field.root() == "ValidationSpecification" => {
                listed("the target's validation job needs access to this key")
            }
            _ => None,
        }
    }

    /// A text with an S3 URL, or with the source account.
    fn text(&self, field: &Field, text: &str) -> Option<NotCarried> {
        // The draft replaces and lists these fields.
        let replaced = matches!(field.name(), Some("AlgorithmName" | "ValidationRole" | "KmsKeyId"));
        let replaced = replaced && !is_map(&field.parent());
        let environment = field.pattern().ends_with(".Environment{}");
        if replaced {
            None
        } else if environment && is_one_url(text) {
            let reason = match text.parse::<Location>() {
                Ok(_) => "the value names a whole bucket, which is not copied, so it is carried over unchanged",
                Err(_) => "promote cannot read this form of URL, so it is carried over unchanged and not copied",
            };
            Some(NotCarried::new(field, without_query(text), reason))
        } else if environment && text.contains("s3://") {
            let reason = "the value is not exactly one S3 URL, so it is carried over unchanged and not copied";
            Some(NotCarried::new(field, text, reason))
        } else {
            let reason = self.reason_of_text(text)?;
            Some(NotCarried::new(field, text, reason).informational())
        }
    }

    fn reason_of_text(&self, text: &str) -> Option<String> {
        if let Some(target) = self.targets.of_url(text) {
            return Some(format!("the field is not a reference and is carried over unchanged; the copy is {target}"));
        }
        if text.contains("s3://") || Location::is_claimed_by(text) {
            return Some("the field is not a reference, so the URL is carried over unchanged".into());
        }
        let account = text.contains(self.account.as_str());
        account.then(|| "the value names the source account and is carried over unchanged".into())
    }

    /// Lists the URLs in a model card that are not replaced.
    fn urls_of_card(&self, field: &Field, card: &str) -> Vec<NotCarried> {
        let Ok(Value::Object(content)) = serde_json::from_str::<Value>(card) else { return Vec::new() };
        let mut listed = Vec::new();
        each_leaf(&content, &mut |inner, value| {
            let Some(text) = value.as_str() else { return };
            let names_s3 = text.contains("s3://") || Location::is_claimed_by(text);
            if names_s3 && !self.targets.is_target(text) {
                let field = format!("{field}.{inner}");
                listed.push(NotCarried {
                    value: sealed_text(&field, text),
                    field,
                    reason: "the text of the card is carried over unchanged".into(),
                    informational: true,
                });
            }
        });
        listed
    }
}

fn image_reason(image: &str) -> String {
    match image.parse() {
        Ok(ImageUri::Ecr(EcrImage { repository: Repository { registry, .. }, .. })) => format!(
            "SageMaker in the target must be able to pull it from account {} in {}",
            registry.account(),
            registry.region()
        ),
        Ok(ImageUri::Other(_)) | Err(_) => "SageMaker in the target must be able to pull it".into(),
    }
}
