//! Another partition for the source account: its ARNs are renamed on their way in and out.

use super::calls::Service;
use super::cloud::Cloud;
use super::principals::SOURCE_ACCOUNT;
use super::s3::Body;
use bytes::Bytes;

/// What a client has sent, in the partition that everything has within.
pub fn inward(cloud: &Cloud, service: Service, body: &Bytes) -> Bytes {
    match renamed(cloud, service) {
        Some(partition) => replaced(body, &format!("arn:{partition}:"), "arn:aws:"),
        None => body.clone(),
    }
}

/// What the client receives.
pub fn outward(cloud: &Cloud, service: Service, body: Body) -> Body {
    let Some(partition) = renamed(cloud, service) else { return body };
    ["sagemaker:eu-central-1", "iam:", "sts:"]
        .iter()
        .fold(body.bytes(), |body, part| {
            let arn = |partition: &str| format!("arn:{partition}:{part}:{SOURCE_ACCOUNT}:");
            replaced(&body, &arn("aws"), &arn(partition))
        })
        .into()
}

fn renamed(cloud: &Cloud, service: Service) -> Option<&'static str> {
    let partition = cloud.locked(|world| world.options.source_partition)?;
    matches!(service, Service::SageMaker | Service::Sts).then_some(partition)
}

fn replaced(body: &Bytes, from: &str, to: &str) -> Bytes {
    String::from_utf8_lossy(body).replace(from, to).into()
}
