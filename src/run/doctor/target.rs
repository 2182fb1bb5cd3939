//! The target side: the bucket, its key, the group and the signing key.

use super::check::{Asked, Check, Finding};
use super::destination::{AskedDestination, SourceNames};
use super::optional::without;
use super::source::{GROUP_UNKNOWN, GroupState, no_principal, no_session, versions};
use super::upload::{ask_upload, without_uploads};
use crate::aws::accounts::TargetAccount;
use crate::aws::error::{CallError, Kind, Side, with_hints};
use crate::aws::registry::TargetRegistry;
use crate::aws::session::Identity;
use crate::copy::OpenUploads;
use crate::model::arn::{AccountId, GroupArn};
use crate::model::field::Document;
use crate::run::context::Context;
use crate::run::promotion::refuse_key;
use crate::run::settings::DoctorSettings;

/// The session of the target account, or why there is none.
pub(super) struct TargetSide<'a> {
    pub account: Option<&'a TargetAccount>,
    pub identity: Option<Identity>,
    pub failed: Vec<Check>,
    /// The uploads that an interruption aborts.
    pub uploads: OpenUploads,
}

/// What is not known without the account of the source group, and what tells the account.
const FOLDER_UNKNOWN: &str = "the folder of a version is not known";
const SOURCE_SESSION: &str = "a session of the source";

/// The permission to delete a version, and what a promotion lacks without it.
const DELETES: (&str, &str) =
    ("sagemaker:DeleteModelPackage", "a version that differs from its request is rejected instead of deleted");

impl<'a> TargetSide<'a> {
    /// Opens the session and asks for its principal.
    pub async fn open(context: &'a Context) -> Self {
        let uploads = context.new_uploads();
        let opened = async {
            let account = context.target().await.map_err(|error| vec![no_session(Side::Target, &error)])?;
            let identity = account.identity().await.map_err(|error| no_principal(Side::Target, error))?;
            Ok((account, identity))
        };
        match opened.await {
            Ok((account, identity)) => {
                Self { account: Some(account), identity: Some(identity), failed: Vec::new(), uploads }
            }
            Err(failed) => Self { account: None, identity: None, failed, uploads },
        }
    }

    /// Asks for all of the side. Also tells whether the group exists. `source`: the source group, if it is known.
    pub async fn ask(
        &self,
        settings: &DoctorSettings,
        group: Option<&GroupArn>,
        source: Option<&GroupArn>,
    ) -> (GroupState, Vec<Check>) {
        let mut checks = self.failed.clone();
        let (Some(account), Some(group)) = (self.account, group) else { return (GroupState::Unknown, checks) };
        checks.extend(ask_role(account, group.account()).await);
        let source = source.map(SourceNames::of);
        let destination = AskedDestination::of(settings, group.partition(), group.name().as_str(), source.as_ref());
        let ((state, registry), bucket, signing) = tokio::join!(
            ask_registry(account.registry(), group, settings),
            ask_bucket((account, &self.uploads), group.account(), settings, &destination),
            ask_signing(account, settings)
        );
        checks.extend(bucket);
        checks.extend(registry);
        checks.extend(signing);
        (state, checks)
    }
}

/// Says if the session is in another account than the role that was given.
pub(super) async fn ask_role(account: &TargetAccount, own: &AccountId) -> Option<Check> {
    let error = account.check().await.err()?;
    Some(asked("credentials", own.as_str(), "").with(Finding::Missing, Some(error.to_string())))
}

pub(super) async fn ask_bucket(
    (account, uploads): (&TargetAccount, &OpenUploads),
    own: &AccountId,
    settings: &DoctorSettings,
    to: &AskedDestination<'_>,
) -> Vec<Check> {
    let objects = account.objects();
    let folder = &to.folder;
    let lists = asked("s3:ListBucket", &to.bucket, &to.bucket);
    let lists_uploads = asked("s3:ListBucketMultipartUploads", &to.bucket, &to.bucket);
    let reads = asked("s3:GetObject", &to.objects, &to.objects);
    let mut pages = objects.list(&folder.bucket, &folder.key);
    let uploads_there = objects.list_uploads(&folder.bucket, &folder.key);
    let read = async {
        match &to.probes {
            Some(absent) => reads.check(objects.read(absent, 1).await, &[]),
            None => vec![reads.hidden(FOLDER_UNKNOWN, SOURCE_SESSION)],
        }
    };
    let (listed, unfinished, read) = tokio::join!(pages.next(), uploads_there, read);
    let mut checks = lists.check(listed, &[]);
    if checks.iter().any(|check| check.result == Finding::Missing) {
        // Nothing else can be asked of a bucket that does not exist or is another account's.
        return checks;
    }
    checks.extend(lists_uploads.check(unfinished, &[]));
    checks.extend(read);
    let refused = to.kms_key.and_then(|key| {
        let error = refuse_key(key, account.region(), own, to.source.as_ref()).err()?;
        Some(asked("key", key.as_str(), "").with(Finding::Missing, Some(with_hints(&error))))
    });
    let to = &AskedDestination { kms_key: to.kms_key.filter(|_| refused.is_none()), ..to.clone() };
    checks.extend(refused);
    match &to.probes {
        Some(absent) if settings.probes => checks.extend(ask_upload((objects, uploads), absent, to).await),
        probes => {
            let writes = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"];
            let acl = objects.writes().acl.map(|_| "s3:PutObjectAcl");
            let writes = writes.into_iter().chain(acl).map(|action| asked(action, &to.objects, &to.objects));
            let deletes = asked("s3:DeleteObject", &to.unfinished, &to.unfinished);
            checks.extend(writes.chain([deletes]).map(|asked| match probes {
                Some(_) => not_probed(asked),
                None => asked.hidden(FOLDER_UNKNOWN, SOURCE_SESSION),
            }));
            checks = without_uploads(checks);
        }
    }
    checks
}

async fn ask_registry(
    registry: &TargetRegistry,
    group: &GroupArn,
    settings: &DoctorSettings,
) -> (GroupState, Vec<Check>) {
    let (name, packages) = (group.name(), format!("{}/*", versions(group)));
    let (found, listed) = tokio::join!(registry.find_group(name), registry.list(name, None));
    let state = match &found {
        Ok(Some(_)) => GroupState::Exists,
        Ok(None) => GroupState::Missing,
        Err(_) => GroupState::Unknown,
    };
    let mut checks = describes_group(group, found);
    let known = listed.as_deref().ok().and_then(|listed| listed.first()).map(|summary| summary.arn.clone());
    checks.extend(asked("sagemaker:ListModelPackages", group.as_str(), group.as_str()).check(listed, &[]));
    let on_packages = |action| asked(action, &packages, &packages);
    let Some(absent) = TargetRegistry::no_version(group) else { return (state, checks) };
    let described = registry.describe(known.as_ref().unwrap_or(&absent)).await;
    checks.extend(on_packages("sagemaker:DescribeModelPackage").check(described, &[Kind::NotFound]));
    let creates_group = asked("sagemaker:CreateModelPackageGroup", group.as_str(), group.as_str());
    if state == GroupState::Missing && !settings.promotion.registration.create_group {
        let reason = "the group does not exist, and `--no-create-group` prevents its creation";
        checks.push(creates_group.with(Finding::Missing, Some(reason.to_owned())));
    }
    let creates = state == GroupState::Missing && settings.promotion.registration.create_group;
    let adds_tags = Asked { action: "sagemaker:AddTags", ..creates_group };
    if state == GroupState::Unknown && settings.promotion.registration.create_group {
        let hidden = |asked: Asked<'_>| asked.hidden(GROUP_UNKNOWN, "sagemaker:DescribeModelPackageGroup");
        checks.extend([hidden(creates_group), hidden(adds_tags)]);
    }
    if !settings.probes {
        let writes = ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage", "sagemaker:DeleteModelPackage"];
        checks.extend(writes.into_iter().map(|action| not_probed(on_packages(action))));
        checks = without(checks, DELETES.0, DELETES.1);
        checks.extend(creates.then(|| not_probed(creates_group)));
        return (state, checks);
    }
    let (created, updated, deleted) =
        tokio::join!(registry.probe_create(group), registry.probe_update(&absent), registry.delete(&absent));
    checks.extend(on_packages("sagemaker:CreateModelPackage").check(created, &[Kind::Invalid, Kind::NotFound]));
    checks.extend(on_packages("sagemaker:UpdateModelPackage").check(updated, &[Kind::NotFound]));
    checks.extend(without(on_packages(DELETES.0).check(deleted, &[]), DELETES.0, DELETES.1));
    if creates {
        let answer = registry.probe_create_group(group).await;
        let answered = creates_group.check(answer, &[Kind::Invalid, Kind::AlreadyExists]);
        let is_about_tags = |check: &Check| check.action == adds_tags.action;
        if answered.iter().all(|check| check.result == Finding::Ok) {
            checks.push(adds_tags.with(Finding::Ok, None));
        } else if !answered.iter().any(is_about_tags) {
            checks.push(adds_tags.not_testable("the request that would add tags was refused"));
        }
        checks.extend(answered);
    }
    (state, checks)
}

fn describes_group(group: &GroupArn, found: Result<Option<Document>, CallError>) -> Vec<Check> {
    asked("sagemaker:DescribeModelPackageGroup", group.as_str(), group.as_str()).check(found, &[])
}

pub(super) async fn ask_signing(account: &TargetAccount, settings: &DoctorSettings) -> Vec<Check> {
    let Some(key) = &settings.promotion.registration.sign_key else { return Vec::new() };
    let keys = account.keys(key);
    let public = keys.public_key(key).await;
    let algorithm = public.as_ref().ok().and_then(|public| public.algorithms.first().cloned());
    let mut checks = asked("kms:GetPublicKey", key.as_str(), key.as_str()).check(public, &[]);
    // KMS checks the permission before the algorithm.
    let signed = keys.probe_sign(key, algorithm.as_deref().unwrap_or("ECDSA_SHA_256")).await;
    let granted: &[Kind] = if algorithm.is_some() { &[] } else { &[Kind::Invalid] };
    checks.extend(asked("kms:Sign", key.as_str(), key.as_str()).check(signed, granted));
    checks
}

pub(super) fn asked<'a>(action: &'a str, resource: &'a str, grant_on: &'a str) -> Asked<'a> {
    Asked { side: Side::Target, action, resource, grant_on }
}

pub(super) fn not_probed(asked: Asked<'_>) -> Check {
    asked.not_testable("only a write request tests this permission, and `--no-probes` turns those off")
}
