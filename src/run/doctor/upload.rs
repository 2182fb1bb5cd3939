//! The permissions to write to the target bucket: an upload is begun, gets a part and is aborted.

use bytes::Bytes;

use super::check::{Asked, Check, Finding};
use super::destination::AskedDestination;
use super::optional::without;
use crate::aws::error::{CallError, Kind, Side};
use crate::aws::objects::{Algorithm, Attributes, Encryption, TargetObjects, UploadId};
use crate::copy::OpenUploads;
use crate::model::location::Location;

/// Asks for the permissions to write. No upload is begun that could not be aborted. `uploads` are aborted if the run is
/// interrupted.
pub(super) async fn ask_upload(
    (objects, uploads): (&TargetObjects, &OpenUploads),
    absent: &Location,
    to: &AskedDestination<'_>,
) -> Vec<Check> {
    let on = |action| Asked { side: Side::Target, action, resource: &to.objects, grant_on: &to.objects };
    let deletes =
        Asked { side: Side::Target, action: "s3:DeleteObject", resource: &to.unfinished, grant_on: &to.unfinished };
    let (aborted, parts, deleted) =
        tokio::join!(objects.probe_abort(absent), objects.probe_parts(absent), objects.probe_delete(absent));
    let may_abort = aborted.is_ok();
    let mut checks = on("s3:AbortMultipartUpload").check(aborted, &[]);
    checks.extend(on("s3:ListMultipartUploadParts").check(parts, &[]));
    checks.extend(deletes.check(deleted, &[]));
    let writes = on("s3:PutObject");
    match may_abort {
        true => checks.extend(upload((objects, uploads), absent, to, writes).await),
        false => {
            let answer = objects.probe_put(absent).await;
            checks.extend(objects.writes().acl.and_then(|_| sets_acl(writes, &answer)));
            checks.extend(writes.check(answer, &[]));
            checks.extend(to.kms_key.map(|key| {
                let key = Asked { action: "kms:GenerateDataKey", resource: key.as_str(), ..writes };
                key.not_testable("an upload could not be aborted")
            }));
        }
    }
    without_uploads(checks)
}

/// Whether the request that was answered may set the ACL. Nothing if the answer names the permission.
fn sets_acl<T>(writes: Asked<'_>, answer: &Result<T, CallError>) -> Option<Check> {
    let sets = Asked { action: "s3:PutObjectAcl", ..writes };
    match answer {
        Ok(_) => Some(sets.with(Finding::Ok, None)),
        Err(error) => match error.refused().action {
            Some(action) if action == sets.action => None,
            // S3 does not tell accounts of other organizations which permission is missing.
            None if error.kind == Kind::Denied => sets.check::<()>(Err(error.clone()), &[]).pop(),
            Some(_) | None => Some(sets.not_testable("the request that would set the ACL was refused")),
        },
    }
}

/// Marks what only unfinished uploads need. A promotion does without it.
pub(super) fn without_uploads(checks: Vec<Check>) -> Vec<Check> {
    let checks = without(checks, "s3:DeleteObject", "files that describe finished uploads stay");
    let checks = without(checks, "s3:AbortMultipartUpload", "uploads of failed runs stay open, and are charged");
    without(checks, "s3:ListMultipartUploadParts", "an interrupted copy of a large artifact begins again")
}

async fn upload(
    (objects, uploads): (&TargetObjects, &OpenUploads),
    absent: &Location,
    to: &AskedDestination<'_>,
    writes: Asked<'_>,
) -> Vec<Check> {
    // No other run has an upload of this key, so that every upload of the key is one of this run.
    let at = &Location::new(&absent.bucket, format!("{}-{:016x}", absent.key, fastrand::u64(..)));
    let (attributes, algorithm) = (Attributes::default(), Algorithm::default());
    let encryption = Encryption { kms_key: to.kms_key.cloned() };
    let created = uploads.begin(objects, None, (at, &attributes), (&encryption, algorithm)).await;
    let part = match &created {
        Ok(upload) => Some(objects.upload_part(at, upload, 1, Bytes::from_static(b"\n"), algorithm).await),
        Err(_) => None,
    };
    let aborted = match &created {
        Ok(upload) => abort(objects, at, upload).await,
        Err(_) => Ok(()),
    };
    if let (Ok(upload), Ok(())) = (&created, &aborted) {
        uploads.close(upload).await;
    }
    let lost = abort_lost(objects, at, created.as_ref().err()).await;
    let encrypts = created.is_ok();
    let sets_acl = objects.writes().acl.and_then(|_| sets_acl(writes, &created));
    let mut checks = writes.check(created, &[]);
    checks.extend(sets_acl);
    checks.extend(part.map(|part| writes.check(part, &[])).into_iter().flatten());
    if let Err(error) = aborted.and(lost) {
        let aborts = Asked { action: "s3:AbortMultipartUpload", ..writes };
        let result = if error.kind == Kind::Denied { Finding::Denied } else { Finding::NotTestable };
        checks.push(aborts.with(result, Some(format!("{error}; an upload to {at} may be open"))));
    }
    if let Some(key) = to.kms_key {
        let used = |action| Asked { action, resource: key.as_str(), grant_on: key.as_str(), ..writes };
        checks.extend(["kms:GenerateDataKey", "kms:Decrypt"].map(|action| match encrypts {
            true => used(action).with(Finding::Ok, None),
            false => used(action).not_testable("the upload that would use the key could not be begun"),
        }));
    }
    checks
}

/// Aborts the uploads that S3 has begun without an answer that arrived.
///
/// # Errors
/// An upload may be open.
async fn abort_lost(objects: &TargetObjects, at: &Location, failed: Option<&CallError>) -> Result<(), CallError> {
    let is_answered = failed.is_none_or(|error| error.code.is_some());
    match objects.list_uploads(&at.bucket, &at.key).await {
        Ok(uploads) => {
            for upload in uploads {
                abort(objects, at, &upload.id).await?;
            }
            Ok(())
        }
        // Another check is about the permission to list.
        Err(_) if is_answered => Ok(()),
        Err(error) => Err(error),
    }
}

/// Aborts the upload, and tries again if that fails: it was permitted a moment ago.
async fn abort(objects: &TargetObjects, at: &Location, upload: &UploadId) -> Result<(), CallError> {
    match objects.abort(at, upload).await {
        Err(_) => objects.abort(at, upload).await,
        done => done,
    }
}
