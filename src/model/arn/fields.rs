//! The parts of any ARN (`arn:partition:service:region:account:resource`, AWS General Reference).

/// The fields of an ARN of one service; region and account are empty where the service has none.
pub(crate) struct Fields<'a> {
    pub partition: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

/// The partition of an ARN of any service: `aws`, `aws-cn`, …
pub(crate) fn partition(text: &str) -> Option<&str> {
    Some(fields(text, text.split(':').nth(2)?)?.partition)
}

/// Takes an ARN of a service apart, or says that it is none.
pub(crate) fn fields<'a>(text: &'a str, service: &str) -> Option<Fields<'a>> {
    let mut parts = text.splitn(6, ':');
    let (arn, partition, of) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let partition_is_valid =
        partition.starts_with("aws") && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    (arn == "arn" && of == service && partition_is_valid).then_some(Fields { partition, region, account, resource })
}
