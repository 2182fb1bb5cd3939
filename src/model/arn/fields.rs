//! The parts of any ARN (`arn:partition:service:region:account:resource`, AWS General Reference).

/// The fields of an ARN. Region and account are empty for services whose resources have none.
pub(crate) struct Fields<'a> {
    pub partition: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

/// The partition of any ARN: `aws`, `aws-cn`, …
pub(crate) fn partition(text: &str) -> Option<&str> {
    Some(fields(text, text.split(':').nth(2)?)?.partition)
}

/// Splits an ARN of `service` into its fields. Returns `None` if the text is not such an ARN.
pub(crate) fn fields<'a>(text: &'a str, service: &str) -> Option<Fields<'a>> {
    let mut parts = text.splitn(6, ':');
    let (arn, partition, of) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let partition_is_valid =
        partition.starts_with("aws") && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    (arn == "arn" && of == service && partition_is_valid).then_some(Fields { partition, region, account, resource })
}

/// The partition of a region (`aws` for regions of partitions that are not known here).
pub(crate) fn partition_of(region: &str) -> &'static str {
    let known = PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix));
    known.map_or("aws", |(_, partition)| partition)
}

/// The partitions by the beginning of their regions' names (botocore, partitions.json).
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];
