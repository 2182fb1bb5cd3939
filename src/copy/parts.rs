//! How a large object is cut: its size comes in, the ranges of its parts come out.
//!
//! The rules are S3's limits of multipart uploads: at most 10,000 parts, each of 5 MiB to 5 GiB, the last one of any
//! size.

use std::ops::Range;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What one CopyObject may copy.
pub const MAX_SINGLE_COPY: u64 = 5 * GIB;
/// The most parts of an upload.
pub const MAX_PARTS: u64 = 10_000;
/// The least size of a part that is not the last.
pub const MIN_PART: u64 = 5 * MIB;
/// The greatest size of a part.
pub const MAX_PART: u64 = 5 * GIB;
/// The largest object that S3 stores: 50 TB, since December 2025.
pub const MAX_OBJECT: u64 = 50 * 1_000_000_000_000;

/// By how much a part may be smaller than was preferred.
const MARKS: u64 = MIB;
/// The least size of parts that can be preferred.
pub const LEAST_PART: u64 = MIN_PART + MARKS;

/// The size of the parts of an object: the preferred one, or as much more as 10,000 parts need, less a few bytes by
/// the `mark`. Parts of one size are of one mark, but for one in a million: so an unfinished upload tells what it is of.
pub fn part_size(bytes: u64, preferred: u64, mark: u64) -> u64 {
    let needed = bytes.div_ceil(MAX_PARTS) + MARKS;
    needed.max(preferred).clamp(LEAST_PART, MAX_PART) - mark % MARKS
}

/// The ranges of the parts, in order; an empty object has none.
pub fn parts(bytes: u64, part_size: u64) -> impl Iterator<Item = Range<u64>> {
    (0..bytes.div_ceil(part_size)).map(move |index| index * part_size..((index + 1) * part_size).min(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_mark_makes_other_parts() {
        for bytes in [6 * GIB, MAX_OBJECT] {
            assert_ne!(part_size(bytes, 8 * MIB, 1), part_size(bytes, 8 * MIB, 2));
        }
    }

    #[test]
    fn parts_of_every_size_keep_every_rule_of_s3() {
        let edges = [0, 1, MIN_PART - 1, MIN_PART, MIN_PART + 1, GIB, MAX_SINGLE_COPY, MAX_SINGLE_COPY + 1];
        let large = (1..=50).flat_map(|n| [n * MAX_OBJECT / 50 - 1, n * MAX_OBJECT / 50]);
        let around = (1..60).map(|n| n * MIB * MAX_PARTS + 1);
        for bytes in edges.into_iter().chain(large).chain(around).filter(|bytes| *bytes <= MAX_OBJECT) {
            let cases =
                [MIN_PART, 8 * MIB, 64 * MIB, GIB, MAX_PART].map(|part| [(part, 0), (part, MIB - 1), (part, u64::MAX)]);
            for (preferred, mark) in cases.into_iter().flatten() {
                let size = part_size(bytes, preferred, mark);
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
