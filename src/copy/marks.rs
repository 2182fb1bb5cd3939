//! The mark that a copy carries where neither its ETag nor its checksum can be compared with its source.

use crate::aws::objects::{Attributes, Encryption, Head};
use crate::plan::artifact::Artifact;

/// The user metadata that says which source object a copy was made from, where the copy's own ETag cannot.
const SOURCE_ETAG: &str = "promote-source-etag";
/// S3's limit of user metadata, names and values together.
const MAX_METADATA_BYTES: usize = 2048;

/// Whether a later run could not know a copy by its ETag or checksum. An ETag that is an MD5 stays the same, unless
/// source or target are encrypted with a key of their own, which cannot be told before; then a checksum has to be there.
pub(super) fn needs_mark(artifact: &Artifact, source: Option<&Head>, encryption: &Encryption) -> bool {
    let without_checksum = source.is_some_and(|head| head.crc64nvme.is_none());
    !artifact.source.etag.is_md5() || encryption.changes_etags() || without_checksum
}

/// The source's headers and metadata, with the mark that a later run knows the copy by. The mark is left out where
/// the metadata would become too long; then checksums have to do.
pub(super) fn marked(source: &Head) -> Attributes {
    let mut attributes = source.attributes.clone();
    let size: usize = attributes.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    let mark = source.etag.as_str();
    if size + SOURCE_ETAG.len() + mark.len() <= MAX_METADATA_BYTES {
        attributes.metadata.insert(SOURCE_ETAG.to_owned(), mark.to_owned());
    }
    attributes
}

/// Whether the copy says that it was made from this source.
pub(super) fn is_marked(copy: &Head, source: &Head) -> bool {
    copy.attributes.metadata.get(SOURCE_ETAG).is_some_and(|etag| etag == source.etag.as_str())
}
