//! Marks copies with the ETag of their source objects, for readers of copies whose own ETags differ. The mark proves
//! nothing: anyone with access to the bucket can write it.

use crate::aws::objects::{Attributes, Encryption, Head};
use crate::plan::artifact::Artifact;

/// The user metadata name of the mark. Its value is the ETag of the source object.
const SOURCE_ETAG: &str = "promote-source-etag";
/// The limit of S3 for user metadata, in bytes of names and values.
const MAX_METADATA_BYTES: usize = 2048;

/// Whether a later run cannot verify the copy by its ETag or checksum. A copy has the same MD5 ETag as its source,
/// unless one of them is encrypted with a KMS key. The encryption of the source is not known in advance, so the source
/// also needs a checksum.
pub(super) fn needs_mark(artifact: &Artifact, source: Option<&Head>, encryption: &Encryption) -> bool {
    let without_checksum = source.is_some_and(|head| head.checksum.is_none());
    !artifact.source.etag.is_md5() || encryption.changes_etags() || without_checksum
}

/// The headers and metadata of the source object with the mark. If the metadata would exceed the limit of S3, the mark
/// is omitted.
pub(super) fn marked(source: &Head) -> Attributes {
    let mut attributes = source.attributes.clone();
    let size: usize = attributes.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    let mark = source.etag.as_str();
    if size + SOURCE_ETAG.len() + mark.len() <= MAX_METADATA_BYTES {
        attributes.metadata.insert(SOURCE_ETAG.to_owned(), mark.to_owned());
    }
    attributes
}
