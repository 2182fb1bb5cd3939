//! The record of every request: what was asked, by whom, and what was answered.

use super::principals::Identity;
use serde_json::Value;
use std::collections::BTreeMap;

/// The service that a request was meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    S3,
    SageMaker,
    Sts,
    /// The endpoint that gives a container its credentials.
    Container,
    Kms,
    Ecr,
    /// The presigned URLs of the layers in ECR.
    Layers,
}

/// One request in the order of arrival.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number among all calls, from 1.
    pub number: usize,
    pub service: Service,
    /// `CopyObject`, `CreateModelPackage`, `AssumeRole`, …
    pub operation: String,
    /// `bucket/key`, `bucket`, or the name or ARN that the request names.
    pub resource: String,
    /// Nobody when the credentials are unknown.
    pub who: Option<Identity>,
    /// The JSON of SageMaker, the form of STS, the query of S3.
    pub request: Value,
    pub headers: BTreeMap<String, String>,
    /// The status answered; 0 when the client got no answer (yet).
    pub status: u16,
    /// Bytes of content received; aws-chunked framing not counted.
    pub bytes_in: u64,
    /// Bytes of content sent.
    pub bytes_out: u64,
}

/// Object content that passed through the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Read with GetObject.
    pub read: u64,
    /// Written with PutObject and UploadPart.
    pub written: u64,
}

impl Traffic {
    pub(crate) fn of<'a>(calls: impl Iterator<Item = &'a Call>) -> Traffic {
        let mut sum = Traffic::default();
        for call in calls.filter(|call| call.service == Service::S3) {
            match call.operation.as_str() {
                "GetObject" if call.status < 300 => sum.read += call.bytes_out,
                "PutObject" | "UploadPart" => sum.written += call.bytes_in,
                _ => {}
            }
        }
        sum
    }
}
