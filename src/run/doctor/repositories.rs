//! Tests the permissions to write to the target's repositories, with requests that Amazon ECR refuses.

use super::check::{Asked, Check, Finding};
use super::target::{asked, not_probed};
use crate::aws::error::Kind;
use crate::aws::images::{ImageId, TargetImages};
use crate::model::image::{Digest, Repository};

/// The permissions to write to a repository.
const WRITES: [&str; 4] = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"];

/// What is not known if a target repository cannot be read.
pub(super) const REPOSITORY_UNKNOWN: &str = "whether the target repository exists is not known";

/// Asks for a repository that images are copied to. Also tells whether it exists, if that is known.
///
/// Amazon ECR checks the permission on the ARN of a repository that does not exist too, so all are asked for.
pub(super) async fn ask_repository(
    images: &TargetImages,
    repository: &Repository,
    probes: bool,
    create: bool,
) -> (Option<bool>, Vec<Check>) {
    let arn = repository.arn();
    let on = |action| asked(action, &arn, &arn);
    let absent = Digest::of(b"promote doctor");
    let ids = [ImageId::Digest(absent.clone())];
    let layers = [absent];
    let (found, layers) = tokio::join!(images.find(repository, &ids), images.missing(repository, &layers));
    let exists = found.as_ref().ok().map(Option::is_some);
    let mut checks = on("ecr:BatchGetImage").check(found, &[]);
    checks.extend(on("ecr:BatchCheckLayerAvailability").check(layers, &[Kind::NotFound]));
    match probes {
        true => checks.extend(ask_writes(images, repository, on).await),
        false => checks.extend(WRITES.map(|action| not_probed(on(action)))),
    }
    match exists {
        Some(true) => {}
        Some(false) => checks.push(creates(create, on("ecr:CreateRepository"))),
        None => checks.push(on("ecr:CreateRepository").hidden(REPOSITORY_UNKNOWN, "ecr:BatchGetImage")),
    }
    (exists, checks)
}

/// Begins an upload, which Amazon ECR forgets, and sends what belongs to no upload and to no image.
async fn ask_writes<'a>(
    images: &TargetImages,
    repository: &Repository,
    on: impl Fn(&'static str) -> Asked<'a>,
) -> Vec<Check> {
    let (begun, sent, completed, put) = tokio::join!(
        images.probe_begin(repository),
        images.probe_send(repository),
        images.probe_complete(repository),
        images.probe_put(repository)
    );
    let granted = [Kind::NotFound, Kind::NoSuchUpload, Kind::Invalid];
    let answers = WRITES.into_iter().zip([begun, sent, completed, put]);
    answers.flat_map(|(action, answer)| on(action).check(answer, &granted)).collect()
}

/// Amazon ECR has no request that tests the permission to create a repository without creating one.
fn creates(create: bool, asked: Asked<'_>) -> Check {
    match create {
        true => asked.not_testable(
            "the repository does not exist, and only creating it tests the permission; grant ecr:CreateRepository, or create the repository",
        ),
        false => {
            let reason = "the repository does not exist, and `--no-create-repository` prevents its creation";
            asked.with(Finding::Missing, Some(reason.to_owned()))
        }
    }
}
