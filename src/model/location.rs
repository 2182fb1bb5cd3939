//! Locations in S3, parsed from `s3://` and `https://` URLs.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use crate::model::arn::{Malformed, text_type};

/// The name of an S3 bucket. Source: naming rules for general purpose buckets (3 to 63 characters of `a-z0-9.-`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketName(String);

impl BucketName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BucketName {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let inner = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-');
        let ends = edge(text.bytes().next()) && edge(text.bytes().last());
        if (3..=63).contains(&text.len()) && inner && ends && !text.contains("..") {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new("a bucket name", "3 to 63 lower-case letters, digits, dots and hyphens", text))
        }
    }
}
text_type!(BucketName);

/// A bucket and a key or key prefix. The key is literal: `%`, `?`, `#`, `+`, spaces, `//` and `..` have no special
/// meaning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Location {
    /// The bucket.
    pub bucket: BucketName,
    /// The key exactly as S3 stores it. An empty prefix stands for the whole bucket.
    pub key: String,
}

impl Location {
    /// The object `key` in `bucket`.
    pub fn new(bucket: &BucketName, key: impl Into<String>) -> Self {
        Self { bucket: bucket.clone(), key: key.into() }
    }

    /// Whether the text begins like an S3 URL of any accepted form. Parsing it may still fail.
    pub fn is_claimed_by(text: &str) -> bool {
        text.starts_with("s3://") || https_parts(text).is_some()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl FromStr for Location {
    type Err = Malformed;
    /// Accepts `s3://bucket/key`, with a literal key, and the HTTPS URLs of S3, with a percent-encoded key:
    /// virtual-hosted-style, path-style, `s3-<region>`, dual-stack and `.com.cn`.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            return Ok(Self { bucket: bucket.parse()?, key: key.to_owned() });
        }
        let malformed = || Malformed::new("an S3 URL", "s3://<bucket>/<key> or the HTTPS URL of an object", text);
        let (bucket, path) = https_parts(text).ok_or_else(malformed)?;
        if path.contains(['?', '#']) {
            return Err(Malformed::new("an S3 URL", "an HTTPS URL without a query and fragment", text));
        }
        let key = percent_decode_str(path).decode_utf8().map_err(|_| malformed())?;
        Ok(Self { bucket: bucket.parse()?, key: key.into_owned() })
    }
}

impl TryFrom<String> for Location {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<Location> for String {
    fn from(location: Location) -> String {
        location.to_string()
    }
}

/// The bucket and the encoded path of an HTTPS URL of S3, or `None` for another host.
fn https_parts(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let service = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    if is_s3_endpoint(service) {
        return Some(path.split_once('/').unwrap_or((path, "")));
    }
    service.match_indices('.').find_map(|(dot, _)| {
        let (bucket, endpoint) = (&service[..dot], &service[dot + 1..]);
        is_s3_endpoint(endpoint).then_some((bucket, path))
    })
}

/// `s3`, `s3.<region>`, `s3-<region>` or `s3.dualstack.<region>`.
fn is_s3_endpoint(service: &str) -> bool {
    if service == "s3" {
        return true;
    }
    let region = service
        .strip_prefix("s3.dualstack.")
        .or_else(|| service.strip_prefix("s3."))
        .or_else(|| service.strip_prefix("s3-"));
    region.is_some_and(|region| region.parse::<crate::model::arn::Region>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String) {
        let location: Location = text.parse().unwrap();
        (location.bucket.to_string(), location.key)
    }

    #[test]
    fn the_key_of_an_s3_url_is_literal() {
        for key in ["a b", "a+b", "a%20b", "a#b", "a?b", "$a&b", "模型/ü", "a//b", "../a", "/a", "a/", "."] {
            assert_eq!(parts(&format!("s3://models/{key}")), ("models".into(), key.into()));
        }
    }

    #[test]
    fn keys_of_https_urls_are_decoded() {
        for url in [
            "https://models.s3.amazonaws.com/a%20b/c+d",
            "https://models.s3.eu-central-1.amazonaws.com/a%20b/c+d",
            "https://models.s3-eu-west-1.amazonaws.com/a%20b/c+d",
            "https://models.s3.dualstack.eu-central-1.amazonaws.com/a%20b/c+d",
            "https://models.s3.cn-north-1.amazonaws.com.cn/a%20b/c+d",
            "https://s3.eu-central-1.amazonaws.com/models/a%20b/c+d",
            "https://s3.amazonaws.com/models/a%20b/c+d",
            "https://s3-eu-west-1.amazonaws.com/models/a%20b/c+d",
        ] {
            assert_eq!(parts(url), ("models".into(), "a b/c+d".into()), "{url}");
        }
    }

    #[test]
    fn a_bucket_with_dots_is_found_before_the_endpoint() {
        assert_eq!(parts("https://my.models.s3.eu-central-1.amazonaws.com/k"), ("my.models".into(), "k".into()));
    }

    #[test]
    fn other_hosts_and_queries_are_refused() {
        for url in [
            "https://example.com/a",
            "https://models.s3.amazonaws.com/a?versionId=1",
            "http://s3.amazonaws.com/b/k",
            "s3://B/k",
        ] {
            assert!(url.parse::<Location>().is_err(), "{url}");
        }
    }
}
