//! Encodes keys and byte ranges for S3's headers, and decodes the keys of listings.

use std::borrow::Cow;
use std::ops::Range;

use aws_sdk_s3::types::EncodingType;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::model::location::Location;

/// Everything but RFC 3986's unreserved characters and the slash: S3 decodes `x-amz-copy-source` as a URL,
/// and a bare `+`, `?` or `%` in a key would become another key.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// `bucket/key` for `x-amz-copy-source`. The SDK does not encode it.
pub(super) fn copy_source(location: &Location) -> String {
    format!("{}/{}", location.bucket, utf8_percent_encode(&location.key, ENCODED))
}

/// A key of a listing. Listings are asked for with `encoding-type=url`, because XML 1.0 cannot have every character of a
/// key (ListObjectsV2). The response names its encoding.
pub(super) fn listed<'a>(key: &'a str, encoding: Option<&EncodingType>) -> Cow<'a, str> {
    match encoding {
        Some(EncodingType::Url) if key.contains(['%', '+']) => {
            Cow::Owned(percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned())
        }
        _ => Cow::Borrowed(key),
    }
}

/// A byte range for `Range` and `x-amz-copy-source-range`, which include the last byte.
pub(super) fn byte_range(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_survives_the_copy_source_header() {
        for (key, sent) in [
            ("a b", "a%20b"),
            ("a+b", "a%2Bb"),
            ("a%20b", "a%2520b"),
            ("a?b#c&d=$", "a%3Fb%23c%26d%3D%24"),
            ("模", "%E6%A8%A1"),
            ("/a//../b/", "/a//../b/"),
            ("a-b._~", "a-b._~"),
        ] {
            assert_eq!(copy_source(&format!("s3://models/{key}").parse().unwrap()), format!("models/{sent}"));
        }
    }

    #[test]
    fn a_range_includes_its_last_byte() {
        assert_eq!(byte_range(&(0..1)), "bytes=0-0");
        assert_eq!(byte_range(&(5..10)), "bytes=5-9");
    }
}
