//! Locations in S3, parsed from `s3://` and `https://` URLs.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::model::arn::{Malformed, as_text, text_type};

/// The name of an S3 bucket, or the alias of an access point.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BucketName(String);

impl BucketName {
    /// The bucket of an existing object. Until 2018, names in us-east-1 had up to 255 characters, also capitals and
    /// underscores.
    fn existing(text: &str) -> Result<Self, Malformed> {
        let inner = text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
        let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        match (3..=255).contains(&text.len()) && inner && begins && !text.contains("..") {
            true => Ok(Self(text.to_owned())),
            false => Err(malformed_name(text)),
        }
    }
}

impl FromStr for BucketName {
    type Err = Malformed;
    /// Source: naming rules for general purpose buckets (3 to 63 characters of `a-z0-9.-`).
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let inner = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-');
        let ends = edge(text.bytes().next()) && edge(text.bytes().last());
        if (3..=63).contains(&text.len()) && inner && ends && !text.contains("..") {
            Ok(Self(text.to_owned()))
        } else {
            Err(malformed_name(text))
        }
    }
}

fn malformed_name(text: &str) -> Malformed {
    Malformed::new("a bucket name", "3 to 63 lower-case letters, digits, dots and hyphens", text)
}
text_type!(BucketName);

/// A bucket and a key or key prefix. The key is literal: `%`, `?`, `#`, `+`, spaces, `//` and `..` have no special
/// meaning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// virtual-hosted-style and path-style, of every partition, also dual-stack, FIPS and accelerated. Access points are
    /// read by their aliases only.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        if is_access_point(text) {
            let expected = "s3://<bucket>/<key>, with the access point's bucket or alias";
            return Err(Malformed::new("the URL of an object in a bucket but of an access point", expected, text));
        }
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            return Ok(Self { bucket: BucketName::existing(bucket)?, key: key.to_owned() });
        }
        let malformed = || Malformed::new("an S3 URL", "s3://<bucket>/<key> or the HTTPS URL of an object", text);
        let (bucket, path) = https_parts(text).ok_or_else(malformed)?;
        if path.contains(['?', '#']) {
            return Err(Malformed::new("an S3 URL", "an HTTPS URL without a query and fragment", text));
        }
        let key = percent_decode_str(path).decode_utf8().map_err(|_| malformed())?;
        Ok(Self { bucket: BucketName::existing(bucket)?, key: key.into_owned() })
    }
}

as_text!(Location);

/// The bucket and the encoded path of an HTTPS URL of S3, or `None` for another host.
fn https_parts(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let service = DOMAINS.iter().find_map(|domain| host.strip_suffix(domain)?.strip_suffix('.'))?;
    if is_s3_endpoint(service) {
        return Some(path.split_once('/').unwrap_or((path, "")));
    }
    service.match_indices('.').find_map(|(dot, _)| {
        let (bucket, endpoint) = (&service[..dot], &service[dot + 1..]);
        is_s3_endpoint(endpoint).then_some((bucket, path))
    })
}

/// The domains of the partitions (botocore, partitions.json).
const DOMAINS: [&str; 7] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

/// `s3`, `s3.<region>` or `s3-<region>`, with `fips` and `dualstack`, or the endpoint of Transfer Acceleration.
fn is_s3_endpoint(service: &str) -> bool {
    if matches!(service, "s3" | "s3-external-1" | "s3-accelerate" | "s3-accelerate.dualstack") {
        return true;
    }
    let rest = service.strip_prefix("s3").and_then(|rest| rest.strip_prefix(['.', '-']));
    let rest =
        rest.map(|rest| rest.strip_prefix("fips").and_then(|rest| rest.strip_prefix(['.', '-'])).unwrap_or(rest));
    let region = rest.map(|rest| rest.strip_prefix("dualstack.").unwrap_or(rest));
    region.is_some_and(|region| region.parse::<crate::model::arn::Region>().is_ok())
}

/// Whether a text is the ARN or the URL of an access point.
fn is_access_point(text: &str) -> bool {
    let name = text.strip_prefix("s3://").unwrap_or(text);
    let is_arn = name.starts_with("arn:") && name.contains(":accesspoint");
    is_arn
        || text.strip_prefix("https://").is_some_and(|rest| {
            let host = rest.split('/').next().unwrap_or_default();
            [".s3-accesspoint", ".s3-object-lambda"].iter().any(|service| host.contains(service))
        })
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
            "https://models.s3-fips.us-gov-west-1.amazonaws.com/a%20b/c+d",
            "https://models.s3-fips.dualstack.us-east-1.amazonaws.com/a%20b/c+d",
            "https://s3-fips-us-gov-west-1.amazonaws.com/models/a%20b/c+d",
            "https://s3-fips.dualstack.us-east-1.amazonaws.com/models/a%20b/c+d",
            "https://s3.dualstack.eu-central-1.amazonaws.com/models/a%20b/c+d",
            "https://models.s3-accelerate.amazonaws.com/a%20b/c+d",
            "https://models.s3.eusc-de-east-1.amazonaws.eu/a%20b/c+d",
            "https://s3.us-iso-east-1.c2s.ic.gov/models/a%20b/c+d",
            "https://models.s3.us-isob-east-1.sc2s.sgov.gov/a%20b/c+d",
            "https://models.s3.eu-isoe-west-1.cloud.adc-e.uk/a%20b/c+d",
            "https://models.s3.us-isof-south-1.csp.hci.ic.gov/a%20b/c+d",
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
    fn names_of_old_buckets_and_aliases_of_access_points_are_read() {
        for bucket in ["My_Models", "ap-abc123-s3alias", &"b".repeat(200)] {
            assert_eq!(parts(&format!("s3://{bucket}/k")), (bucket.to_owned(), "k".into()));
        }
        assert_eq!(parts("https://s3.amazonaws.com/My_Models/k"), ("My_Models".into(), "k".into()));
        for name in ["_models", "a..b", "ab", "a b c", ".abc"] {
            assert!(format!("s3://{name}/k").parse::<Location>().is_err(), "{name}");
        }
    }

    #[test]
    fn access_points_are_refused_as_what_they_are() {
        for text in [
            "arn:aws:s3:eu-central-1:444333666777:accesspoint/ap/object/k",
            "s3://arn:aws:s3:eu-central-1:444333666777:accesspoint/ap/k",
            "s3://arn:aws:s3::444333666777:accesspoint:mfzwi23gnjvgw.mrap/k",
            "https://ap-444333666777.s3-accesspoint.eu-central-1.amazonaws.com/k",
            "https://ap-444333666777.s3-object-lambda.eu-central-1.amazonaws.com/k",
        ] {
            let error = text.parse::<Location>().unwrap_err().to_string();
            assert!(error.contains("of an access point"), "{error}");
        }
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
