//! How a large object is cut into parts. The rules are S3's limits of multipart uploads: at most 10,000 parts, each of
//! 5 MiB to 5 GiB, the last one of any size.

use std::ops::Range;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What one CopyObject may copy.
pub(super) const MAX_SINGLE_COPY: u64 = 5 * GIB;
/// The most parts of an upload.
const MAX_PARTS: u64 = 10_000;
/// The least size of a part that is not the last.
pub const MIN_PART: u64 = 5 * MIB;
/// The greatest size of a part.
pub const MAX_PART: u64 = 5 * GIB;
/// The size of a part that is streamed, unless another one is given. Amazon S3 recommends 8 to 16 MiB (its performance
/// guidelines).
pub(super) const STREAMED_PART: u64 = 8 * MIB;

/// The size of the parts of an object: the preferred one, or as much more as 10,000 parts need.
pub(super) fn part_size(bytes: u64, preferred: u64) -> u64 {
    bytes.div_ceil(MAX_PARTS).max(preferred).clamp(MIN_PART, MAX_PART)
}

/// The ranges of the parts, in order; an empty object has none.
pub(super) fn parts(bytes: u64, part_size: u64) -> impl Iterator<Item = Range<u64>> {
    (0..bytes.div_ceil(part_size)).map(move |index| index * part_size..((index + 1) * part_size).min(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest object that S3 stores: 50 TB, since December 2025.
    const MAX_OBJECT: u64 = 50 * 1_000_000_000_000;

    #[test]
    fn parts_of_every_size_keep_every_rule_of_s3() {
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
