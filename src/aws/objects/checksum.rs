//! Checksums of whole objects, as S3 stores them.

use std::fmt;

use aws_sdk_s3::types::ChecksumAlgorithm;
use serde::{Deserialize, Serialize};

/// A checksum algorithm. The SDKs upload with CRC32 or CRC64NVME, unless they are told otherwise (S3 User Guide, "Checking
/// object integrity").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Algorithm {
    /// CRC64NVME.
    #[default]
    #[serde(rename = "CRC64NVME")]
    Crc64Nvme,
    /// CRC32.
    #[serde(rename = "CRC32")]
    Crc32,
    /// CRC32C.
    #[serde(rename = "CRC32C")]
    Crc32C,
    /// SHA-1.
    #[serde(rename = "SHA1")]
    Sha1,
    /// SHA-256.
    #[serde(rename = "SHA256")]
    Sha256,
    /// SHA-512.
    #[serde(rename = "SHA512")]
    Sha512,
    /// MD5.
    #[serde(rename = "MD5")]
    Md5,
    /// XXH64.
    #[serde(rename = "XXHASH64")]
    Xxhash64,
    /// XXH3 with 64 bits.
    #[serde(rename = "XXHASH3")]
    Xxhash3,
    /// XXH3 with 128 bits.
    #[serde(rename = "XXHASH128")]
    Xxhash128,
}

impl Algorithm {
    /// Whether S3 computes the checksum of a whole object that is uploaded in parts.
    pub fn joins_parts(self) -> bool {
        matches!(self, Self::Crc64Nvme | Self::Crc32 | Self::Crc32C)
    }

    pub(super) fn sdk(self) -> ChecksumAlgorithm {
        match self {
            Self::Crc64Nvme => ChecksumAlgorithm::Crc64Nvme,
            Self::Crc32 => ChecksumAlgorithm::Crc32,
            Self::Crc32C => ChecksumAlgorithm::Crc32C,
            Self::Sha1 => ChecksumAlgorithm::Sha1,
            Self::Sha256 => ChecksumAlgorithm::Sha256,
            Self::Sha512 => ChecksumAlgorithm::Sha512,
            Self::Md5 => ChecksumAlgorithm::Md5,
            Self::Xxhash64 => ChecksumAlgorithm::Xxhash64,
            Self::Xxhash3 => ChecksumAlgorithm::Xxhash3,
            Self::Xxhash128 => ChecksumAlgorithm::Xxhash128,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sdk().as_str())
    }
}

/// The checksum of all bytes of an object or part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The value in base64.
    pub value: String,
}

impl Checksum {
    /// The value, if the checksum has this algorithm.
    pub(super) fn of(this: Option<&Self>, algorithm: Algorithm) -> Option<String> {
        this.filter(|checksum| checksum.algorithm == algorithm).map(|checksum| checksum.value.clone())
    }

    /// The first of these values that covers all bytes. The checksum of an upload in parts may be a checksum of the parts'
    /// checksums, which ends in `-` and their number (S3 User Guide, "Checking object integrity").
    pub(super) fn first<'a>(values: impl IntoIterator<Item = (Algorithm, Option<&'a str>)>) -> Option<Self> {
        let given = values.into_iter().filter_map(|(algorithm, value)| Some((algorithm, value?)));
        let mut whole = given.filter(|(_, value)| !value.is_empty() && !value.contains('-'));
        whole.next().map(|(algorithm, value)| Self { algorithm, value: value.to_owned() })
    }
}

/// The checksum of a response of the SDK, which has a method for each algorithm.
macro_rules! checksum_of {
    ($answer:expr) => {{
        use $crate::aws::objects::checksum::{Algorithm, Checksum};
        let answer = &$answer;
        Checksum::first([
            (Algorithm::Crc64Nvme, answer.checksum_crc64_nvme()),
            (Algorithm::Sha512, answer.checksum_sha512()),
            (Algorithm::Sha256, answer.checksum_sha256()),
            (Algorithm::Sha1, answer.checksum_sha1()),
            (Algorithm::Md5, answer.checksum_md5()),
            (Algorithm::Xxhash128, answer.checksum_xxhash128()),
            (Algorithm::Xxhash3, answer.checksum_xxhash3()),
            (Algorithm::Xxhash64, answer.checksum_xxhash64()),
            (Algorithm::Crc32C, answer.checksum_crc32_c()),
            (Algorithm::Crc32, answer.checksum_crc32()),
        ])
    }};
}
pub(super) use checksum_of;

/// Sets the checksum of a request of the SDK, which has a method for each algorithm.
macro_rules! with_checksum {
    ($call:expr, $checksum:expr) => {{
        use $crate::aws::objects::checksum::{Algorithm, Checksum};
        let checksum: Option<&Checksum> = $checksum;
        $call
            .set_checksum_crc64_nvme(Checksum::of(checksum, Algorithm::Crc64Nvme))
            .set_checksum_sha512(Checksum::of(checksum, Algorithm::Sha512))
            .set_checksum_sha256(Checksum::of(checksum, Algorithm::Sha256))
            .set_checksum_sha1(Checksum::of(checksum, Algorithm::Sha1))
            .set_checksum_md5(Checksum::of(checksum, Algorithm::Md5))
            .set_checksum_xxhash128(Checksum::of(checksum, Algorithm::Xxhash128))
            .set_checksum_xxhash3(Checksum::of(checksum, Algorithm::Xxhash3))
            .set_checksum_xxhash64(Checksum::of(checksum, Algorithm::Xxhash64))
            .set_checksum_crc32_c(Checksum::of(checksum, Algorithm::Crc32C))
            .set_checksum_crc32(Checksum::of(checksum, Algorithm::Crc32))
    }};
}
pub(super) use with_checksum;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_of_s3_is_compared() {
        for name in ChecksumAlgorithm::values() {
            let algorithm: Algorithm = serde_json::from_value((*name).into()).expect("the algorithm is known");
            assert_eq!(algorithm.to_string(), *name);
        }
    }

    #[test]
    fn a_checksum_of_the_parts_checksums_does_not_count() {
        let values = [(Algorithm::Sha256, Some("abc=-2")), (Algorithm::Crc32, Some("AAAAAA=="))];
        assert_eq!(Checksum::first(values).map(|checksum| checksum.algorithm), Some(Algorithm::Crc32));
        assert_eq!(Checksum::first(values[..1].iter().copied()), None);
    }
}
