//! The permissions on repositories of images and on keys.

use crate::model::image::Repository;
use crate::model::side::Side;

/// The permissions on a repository, and the flag without which they are not needed.
pub(super) fn repository_grant(side: Side, repository: &Repository) -> String {
    let arn = repository.arn();
    match side {
        Side::Source => format!(
            "Grant ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and ecr:DescribeRepositories on {arn} to this \
                 principal (for another account's repository, in its repository policy too); or pass `--images keep`, \
                 which leaves images where they are"
        ),
        Side::Target => format!(
            "Grant ecr:BatchGetImage, ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, ecr:UploadLayerPart, \
                 ecr:CompleteLayerUpload, ecr:PutImage and ecr:CreateRepository on {arn} to this principal; or pass \
                 `--images keep`, which leaves images where they are"
        ),
    }
}

/// The permission to look up images in a repository that promote only reads.
pub(super) fn read_grant(repository: &Repository) -> String {
    format!(
        "Grant ecr:BatchGetImage on {} to this principal, or pass `--images keep`, which does not look up images",
        repository.arn()
    )
}

/// The permissions on the key that a message of KMS names. A write in parts takes both.
pub(super) fn kms_grant(message: &str, is_written: bool) -> String {
    let key = message.split([' ', '"', '(', ')', ',']).find(|word| word.starts_with("arn:") && word.contains(":kms:"));
    let key = key.map_or("the KMS key", |key| key.trim_end_matches('.'));
    let writes = message.contains("GenerateDataKey");
    let reads = message.contains("kms:Decrypt");
    let permissions = match (reads, writes) {
        (true, false) if !is_written => "kms:Decrypt",
        (true, false) | (false, true) => "kms:GenerateDataKey and kms:Decrypt",
        _ => "kms:Decrypt (to read) and kms:GenerateDataKey (to write)",
    };
    format!("Grant {permissions} on {key} to this principal, in the key's policy too")
}
