//! Which objects are archived: S3 cannot read them before they are restored.

use aws_sdk_s3::types::{Object, ObjectStorageClass, StorageClass};

/// Whether an object with these headers is archived. `restore` is the header `x-amz-restore` (HeadObject).
pub(super) fn is_archived(class: Option<&StorageClass>, restore: Option<&str>) -> bool {
    let is_restored = restore.is_some_and(|restore| restore.contains("ongoing-request=\"false\""));
    matches!(class, Some(StorageClass::Glacier | StorageClass::DeepArchive)) && !is_restored
}

/// Whether a listed object is archived. The listing has to ask for the restore status.
pub(super) fn is_listed_archived(object: &Object) -> bool {
    let is_restored = object.restore_status().is_some_and(|status| status.restore_expiry_date().is_some());
    let archive = [ObjectStorageClass::Glacier, ObjectStorageClass::DeepArchive];
    object.storage_class().is_some_and(|class| archive.contains(class)) && !is_restored
}

/// Whether a listed object is in S3 Intelligent-Tiering, which may have moved it to an archive tier.
pub(super) fn is_tiered(object: &Object) -> bool {
    object.storage_class() == Some(&ObjectStorageClass::IntelligentTiering)
}
