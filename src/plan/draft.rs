//! Drafts the request: the fields of the source package that are carried over, still with the source's references.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupName, KmsKeyArn, RoleArn};
use crate::model::field::{Document, Field, is_map};
use crate::model::image::RepositoryPrefix;
use crate::model::package::Package;
use crate::plan::environment::EnvironmentUrls;
use crate::plan::findings::Obstacles;
use crate::plan::images::Images;
use crate::plan::not_carried::NotCarried;
use crate::schema::members::{TREATMENTS, Treatment};
use crate::schema::references::etags;
use crate::schema::unknown_members::unknown_members;

/// Settings of the target account that replace values of the source package.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PackageOverrides {
    /// Encrypts the artifacts and, where the source package is encrypted, the target package.
    pub kms_key: Option<KmsKeyArn>,
    /// The algorithm in the target account that replaces the algorithm of the source package.
    pub algorithm: Option<String>,
    /// The role that validates the package in the target account. Without a role, the validation is not carried over.
    pub validation_role: Option<RoleArn>,
    /// Drop fields that this version of promote does not know, instead of refusing the package.
    pub ignore_unknown_members: bool,
    /// Carry over the URLs of reports that do not exist, instead of refusing the package.
    pub ignore_missing_reports: bool,
    /// Which S3 URLs in environment variables are copied.
    pub environment_urls: EnvironmentUrls,
    /// What is done with images.
    pub images: Images,
    /// The prefix of the repositories that images are copied to.
    pub image_repository_prefix: RepositoryPrefix,
    /// Refuse images whose repository does not exist in the target, instead of creating it.
    pub no_create_repository: bool,
}

impl PackageOverrides {
    /// The values that a request was made with.
    pub fn of(request: &Document) -> Self {
        let text = |field: Field| field.get(request).and_then(Value::as_str);
        let algorithms = Field::top("SourceAlgorithmSpecification").member("SourceAlgorithms");
        Self {
            kms_key: text(Field::top("SecurityConfig").member("KmsKeyId")).and_then(|key| key.parse().ok()),
            algorithm: text(algorithms.item(0).member("AlgorithmName")).map(str::to_owned),
            validation_role: text(Field::top("ValidationSpecification").member("ValidationRole"))
                .and_then(|role| role.parse().ok()),
            ignore_unknown_members: false,
            // These were decided when the version was promoted.
            ignore_missing_reports: true,
            environment_urls: EnvironmentUrls::default(),
            images: Images::Keep,
            image_repository_prefix: RepositoryPrefix::default(),
            no_create_repository: false,
        }
    }
}

/// A request with the carried fields of the source package, before its references are rewritten.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The request so far.
    pub request: Document,
    /// The fields that are not carried over, except those found when the references are rewritten.
    pub not_carried: Vec<NotCarried>,
    /// Which S3 URLs in environment variables are copied.
    pub environment_urls: EnvironmentUrls,
    /// What prevents a promotion.
    findings: Obstacles,
}

impl Draft {
    /// Drafts the request for a version of `target_group` from a source package.
    pub fn of(package: &Package, target_group: &GroupName, overrides: &PackageOverrides) -> Self {
        let mut draft = Self {
            request: carried(package.description()),
            not_carried: Vec::new(),
            environment_urls: overrides.environment_urls,
            findings: Obstacles::default(),
        };
        draft.leave_unknown(package, overrides);
        draft.leave_certification(package);
        draft.leave_algorithm(overrides);
        draft.set_encryption(overrides);
        draft.set_algorithm(overrides);
        draft.set_validation(overrides);
        draft.request.insert("ModelPackageGroupName".into(), target_group.as_str().into());
        ApprovalStatus::PendingManualApproval.state_in(&mut draft.request);
        draft
    }

    /// What prevents a promotion: unknown fields, and values of the source account that need a flag.
    pub fn findings(&self) -> &Obstacles {
        &self.findings
    }

    /// Removes the ETags of source objects, because copies have their own ETags.
    pub fn without_etags(mut self) -> Self {
        for etag in etags(&self.request) {
            etag.remove(&mut self.request);
        }
        self
    }

    fn leave_unknown(&mut self, package: &Package, overrides: &PackageOverrides) {
        self.findings.extend(unknown(package, overrides.ignore_unknown_members));
        for field in &unknown_members(package.description()) {
            let value = field.get(package.description()).map(Value::to_string).unwrap_or_default();
            self.not_carried.push(NotCarried::new(
                field,
                value,
                "unknown to this version of promote, dropped by `--ignore-unknown-fields`",
            ));
            field.remove(&mut self.request);
        }
    }

    fn leave_certification(&mut self, package: &Package) {
        if package.description().get("CertifyForMarketplace") == Some(&Value::Bool(true)) {
            let field = Field::top("CertifyForMarketplace");
            self.not_carried.push(NotCarried::new(
                &field,
                "true",
                "a version of a group cannot be certified for the Marketplace",
            ));
        }
    }

    /// SageMaker describes a package that was made from an algorithm with both specifications. CreateModelPackage takes
    /// one: the API reference offers them as two ways to create a package.
    fn leave_algorithm(&mut self, overrides: &PackageOverrides) {
        let field = Field::top("SourceAlgorithmSpecification");
        if !self.request.contains_key("InferenceSpecification") {
            return;
        }
        if let Some(value) = field.remove(&mut self.request) {
            let algorithm = value["SourceAlgorithms"][0]["AlgorithmName"].as_str().unwrap_or_default().to_owned();
            let reason = "the version is registered with its InferenceSpecification, and CreateModelPackage accepts only \
                          one of the two";
            if overrides.algorithm.is_some() {
                let text = format!("`--target-algorithm` cannot be applied to {field}: {reason}");
                self.findings.add(text, "Run without `--target-algorithm` to promote this version");
            }
            let reason = format!("{reason}; the record contains the algorithm");
            self.not_carried.push(NotCarried::new(&field, algorithm, reason).informational());
        }
    }

    fn set_encryption(&mut self, overrides: &PackageOverrides) {
        let field = Field::top("SecurityConfig").member("KmsKeyId");
        let Some(key) = field.get_mut(&mut self.request) else { return };
        let Some(target) = &overrides.kms_key else {
            let text = format!("{field} is {key}, a key of the source account");
            return self.findings.add(text, "Pass a key of the target account with `--kms-key-arn`");
        };
        let source = std::mem::replace(key, target.as_str().into());
        self.not_carried.push(
            NotCarried::new(
                &field,
                text_of(&source),
                format!("a key of the source account, replaced by {target} (`--kms-key-arn`)"),
            )
            .informational(),
        );
    }

    fn set_algorithm(&mut self, overrides: &PackageOverrides) {
        let list = Field::top("SourceAlgorithmSpecification").member("SourceAlgorithms");
        let count = list.get(&self.request).and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..count {
            let field = list.item(index).member("AlgorithmName");
            let Some(name) = field.get_mut(&mut self.request) else { continue };
            let Some(target) = &overrides.algorithm else {
                let text = format!("{field} is {name}, an algorithm of the source account");
                let hint =
                    "Pass an algorithm of the target account, or one that it subscribes to, with `--target-algorithm`";
                self.findings.add(text, hint);
                continue;
            };
            let source = std::mem::replace(name, target.as_str().into());
            self.not_carried.push(
                NotCarried::new(&field, text_of(&source), format!("replaced by {target} (`--target-algorithm`)"))
                    .informational(),
            );
        }
    }

    fn set_validation(&mut self, overrides: &PackageOverrides) {
        let field = Field::top("ValidationSpecification");
        let Some(specification) = field.get_mut(&mut self.request) else { return };
        match &overrides.validation_role {
            Some(role) => specification["ValidationRole"] = json!(role.as_str()),
            None => {
                let profiles = specification["ValidationProfiles"].to_string();
                let reason = "validation would run a transform job under a role of the source account; to carry it over, \
                              pass a role of the target account with `--target-validation-role-arn`";
                self.not_carried.push(NotCarried::new(&field, profiles, reason));
                field.remove(&mut self.request);
            }
        }
    }
}

/// Refuses a package with fields that this version of promote does not know, unless `ignore` is set.
///
/// # Errors
/// The message names every unknown field.
pub fn refuse_unknown(package: &Package, ignore: bool) -> Result<()> {
    unknown(package, ignore).refuse(package.arn())
}

fn unknown(package: &Package, ignore: bool) -> Obstacles {
    let mut found = Obstacles::default();
    let fields: Vec<String> = unknown_members(package.description()).iter().map(Field::to_string).collect();
    if !fields.is_empty() && !ignore {
        let text = format!("it has fields that this version of promote does not know: {}", fields.join(", "));
        found.add(text, "Update promote, or pass `--ignore-unknown-fields` to drop them");
    }
    found
}

/// The fields with the treatment Carried. Empty members are omitted on every level: DescribeModelPackage returns some that
/// CreateModelPackage rejects.
pub(super) fn carried(description: &Document) -> Document {
    let carried = TREATMENTS.iter().filter(|(_, treatment)| *treatment == Treatment::Carried);
    carried
        .filter_map(|(name, _)| {
            let value = description.get(*name)?.clone();
            Some(((*name).to_owned(), without_empty(&Field::top(name), value)?))
        })
        .collect()
}

/// A value without empty members; nothing if the value is empty. Items of lists and entries of maps stay: they are content.
fn without_empty(field: &Field, value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then_some(Value::String(text)),
        Value::Array(items) => {
            let item = |(index, item): (usize, Value)| {
                let empty = if item.is_object() { json!({}) } else { item.clone() };
                without_empty(&field.item(index), item).unwrap_or(empty)
            };
            (!items.is_empty()).then(|| items.into_iter().enumerate().map(item).collect())
        }
        Value::Object(entries) if is_map(field) => (!entries.is_empty()).then_some(Value::Object(entries)),
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| {
                let value = without_empty(&field.member(&name), value)?;
                Some((name, value))
            };
            let members: Document = members.into_iter().filter_map(member).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        Value::Bool(_) | Value::Number(_) => Some(value),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
