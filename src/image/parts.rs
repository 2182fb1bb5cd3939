//! Divides layers into parts. Source: the quotas of Amazon ECR (a part has at most 20,971,520 bytes, a layer at most 4,200
//! parts), and InitiateLayerUpload, which answers with the preferred size.

use std::ops::Range;

/// The maximum size of a part in bytes.
const MAX_PART: u64 = 20_971_520;
/// The maximum number of parts of a layer.
const MAX_PARTS: u64 = 4_200;

/// The part size for a layer: the preferred size, or the smallest size that needs at most 4,200 parts.
pub(super) fn part_size(bytes: u64, preferred: u64) -> u64 {
    bytes.div_ceil(MAX_PARTS).max(preferred).clamp(1, MAX_PART)
}

/// The part that begins at a byte; nothing at the end of the layer.
pub(super) fn part_at(first: u64, bytes: u64, part_size: u64) -> Option<Range<u64>> {
    (first < bytes).then(|| first..(first + part_size).min(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_satisfy_the_limits_of_ecr_for_every_size_of_a_layer() {
        const MIB: u64 = 1 << 20;
        const LARGEST: u64 = 52_000 * MIB;
        for bytes in [1, 2, 5 * MIB - 1, 5 * MIB, 10 * MIB + 1, 12 << 30, 42_000 * MIB, 42_000 * MIB + 1, LARGEST] {
            for preferred in [5 * MIB, 10 * MIB, MAX_PART, 2 * MAX_PART] {
                let size = part_size(bytes, preferred);
                assert!(size <= MAX_PART && bytes.div_ceil(size) <= MAX_PARTS, "{bytes} {preferred} {size}");
                let (mut next, mut count) = (0, 0);
                while let Some(part) = part_at(next, bytes, size) {
                    assert_eq!(part.start, next);
                    assert!(part.end - part.start == size || part.end == bytes);
                    (next, count) = (part.end, count + 1);
                }
                assert_eq!((next, count), (bytes, bytes.div_ceil(size)));
            }
        }
    }
}
