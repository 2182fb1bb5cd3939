//! Divides large objects into parts. Source: the limits of S3 multipart uploads (at most 10,000 parts of 5 MiB to 5
//! GiB; the last part may be smaller).

use std::ops::Range;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The maximum size of an object for CopyObject, in bytes.
pub(super) const MAX_SINGLE_COPY: u64 = 5 * GIB;
/// The maximum number of parts of an upload.
const MAX_PARTS: u64 = 10_000;
/// The minimum size of a part, except the last, in bytes.
pub const MIN_PART: u64 = 5 * MIB;
/// The maximum size of a part, in bytes.
pub const MAX_PART: u64 = 5 * GIB;
/// The default size of a streamed part, in bytes. Amazon S3 recommends 8 to 16 MiB (performance guidelines).
pub(super) const STREAMED_PART: u64 = 8 * MIB;

/// The part size for an object, in bytes: the preferred size, or the smallest size that needs at most 10,000 parts.
pub(super) fn part_size(bytes: u64, preferred: u64) -> u64 {
    bytes.div_ceil(MAX_PARTS).max(preferred).clamp(MIN_PART, MAX_PART)
}

/// The byte ranges of the parts, in order. An empty object has no parts.
pub(super) fn parts(bytes: u64, part_size: u64) -> impl Iterator<Item = Range<u64>> {
    (0..bytes.div_ceil(part_size)).map(move |index| index * part_size..((index + 1) * part_size).min(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The maximum object size of S3, in bytes: 50 TB since December 2025.
    const MAX_OBJECT: u64 = 50 * 1_000_000_000_000;

    #[test]
    fn parts_satisfy_the_limits_of_s3_for_every_object_size() {
        let edges = [0, 1, MIN_PART - 1, MIN_PART, MIN_PART + 1, GIB, MAX_SINGLE_COPY, MAX_SINGLE_COPY + 1];
        let large = (1..=50).flat_map(|n| [n * MAX_OBJECT / 50 - 1, n * MAX_OBJECT / 50]);
        let around = (1..60).map(|n| n * MIB * MAX_PARTS + 1);
        for bytes in edges.into_iter().chain(large).chain(around).filter(|bytes| *bytes <= MAX_OBJECT) {
            for preferred in [MIN_PART, 8 * MIB, 64 * MIB, GIB, MAX_PART] {
                let size = part_size(bytes, preferred);
                let count = bytes.div_ceil(size);
                assert!((MIN_PART..=MAX_PART).contains(&size) && count <= MAX_PARTS, "{bytes} {size}");
                let (mut end, mut seen) = (0, 0);
                for part in parts(bytes, size) {
                    assert_eq!(part.start, end);
                    assert!(part.end - part.start == size || part.end == bytes);
                    (end, seen) = (part.end, seen + 1);
                }
                assert_eq!((end, seen), (bytes, count));
            }
        }
    }
}
