//! The request body of a part: JSON with the bytes in Base64, encoded as they arrive, so that a part is in memory once.

use aws_smithy_types::base64;
use bytes::Bytes;
use serde_json::json;

use super::types::LayerUpload;
use crate::model::image::Repository;

/// The part of a layer, as the request has it.
#[derive(Debug, Clone)]
pub struct PartBody {
    first: u64,
    bytes: u64,
    body: Bytes,
}

impl PartBody {
    /// Encodes a part from its chunks.
    pub fn encode(repository: &Repository, upload: &LayerUpload, (first, bytes): (u64, u64)) -> PartEncoder {
        let head = json!({
            "registryId": repository.registry.account(),
            "repositoryName": repository.name,
            "uploadId": upload.id,
            "partFirstByte": first,
            "partLastByte": first + bytes.max(1) - 1,
        });
        let mut text = head.to_string().into_bytes();
        text.pop();
        text.extend_from_slice(br#","layerPartBlob":""#);
        text.reserve_exact(usize::try_from(bytes.div_ceil(3) * 4).unwrap_or_default() + END.len());
        PartEncoder { first, bytes, text, rest: Vec::with_capacity(3), had: 0 }
    }

    /// The first byte.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The last byte.
    pub fn last(&self) -> u64 {
        self.first + self.bytes - 1
    }

    pub(super) fn body(&self) -> Bytes {
        self.body.clone()
    }
}

const END: &[u8] = br#""}"#;

/// A part that is being encoded.
#[derive(Debug)]
pub struct PartEncoder {
    first: u64,
    bytes: u64,
    text: Vec<u8>,
    /// Up to two bytes, which are encoded with the next ones.
    rest: Vec<u8>,
    had: u64,
}

impl PartEncoder {
    /// The bytes that are still missing.
    pub fn missing(&self) -> u64 {
        self.bytes - self.had
    }

    /// Adds the next bytes.
    pub fn push(&mut self, mut chunk: &[u8]) {
        self.had += chunk.len() as u64;
        if !self.rest.is_empty() {
            let (first, others) = chunk.split_at((3 - self.rest.len()).min(chunk.len()));
            self.rest.extend_from_slice(first);
            chunk = others;
            if self.rest.len() == 3 {
                self.text.extend_from_slice(base64::encode(&self.rest).as_bytes());
                self.rest.clear();
            }
        }
        let (whole, rest) = chunk.split_at(chunk.len() - chunk.len() % 3);
        self.text.extend_from_slice(base64::encode(whole).as_bytes());
        self.rest.extend_from_slice(rest);
    }

    /// The complete part.
    pub fn end(mut self) -> PartBody {
        self.text.extend_from_slice(base64::encode(&self.rest).as_bytes());
        self.text.extend_from_slice(END);
        PartBody { first: self.first, bytes: self.bytes, body: Bytes::from(self.text) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_part_is_encoded_the_same_from_chunks_of_every_size() {
        let repository = Repository {
            registry: crate::model::image::EcrRegistry::of("111222333444.dkr.ecr.eu-central-1.amazonaws.com").unwrap(),
            name: "team/serve".parse().unwrap(),
        };
        let upload = LayerUpload { id: "u-1".into(), part_size: 100 };
        let bytes: Vec<u8> = (0..100).collect();
        for size in 1..=100 {
            let mut part = PartBody::encode(&repository, &upload, (200, 100));
            bytes.chunks(size).for_each(|chunk| part.push(chunk));
            assert_eq!(part.missing(), 0);
            let part = part.end();
            assert_eq!((part.first(), part.last()), (200, 299));
            let body: Value = serde_json::from_slice(&part.body()).unwrap();
            assert_eq!(base64::decode(body["layerPartBlob"].as_str().unwrap()).unwrap(), bytes, "{size}");
            assert_eq!((body["partFirstByte"].as_u64(), body["partLastByte"].as_u64()), (Some(200), Some(299)));
            assert_eq!(body["uploadId"], "u-1");
        }
    }
}
