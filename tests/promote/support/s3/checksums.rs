//! The checksums of S3: computing them and checking those that a request brings.

use super::body::Body;
use crate::support::wire::{Refusal, Request};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha2::Sha256;
use std::collections::BTreeMap;
use twox_hash::{XxHash3_64, XxHash3_128, XxHash64};

/// A larger body's x-amz-content-sha256 is not checked: hashing without optimisation is slow.
const HASHED: usize = 1 << 20;

/// A checksum algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
    Sha512,
    Md5,
    Xxhash64,
    Xxhash3,
    Xxhash128,
}

impl Algorithm {
    pub const ALL: [Algorithm; 10] = [
        Algorithm::Crc32,
        Algorithm::Crc32c,
        Algorithm::Crc64Nvme,
        Algorithm::Sha1,
        Algorithm::Sha256,
        Algorithm::Sha512,
        Algorithm::Md5,
        Algorithm::Xxhash64,
        Algorithm::Xxhash3,
        Algorithm::Xxhash128,
    ];

    /// Whether a checksum of the whole can be computed from those of the parts.
    pub fn joins_parts(self) -> bool {
        matches!(self, Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64Nvme)
    }

    /// As in `x-amz-checksum-algorithm` and in the names of XML elements.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha512 => "SHA512",
            Algorithm::Md5 => "MD5",
            Algorithm::Xxhash64 => "XXHASH64",
            Algorithm::Xxhash3 => "XXHASH3",
            Algorithm::Xxhash128 => "XXHASH128",
        }
    }

    pub fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_lowercase())
    }

    pub fn parse(name: &str) -> Result<Algorithm, Refusal> {
        let found = Algorithm::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| Refusal::new(400, "InvalidRequest", "Checksum algorithm provided is unsupported."))
    }

    pub fn digest(self, body: &Body) -> Vec<u8> {
        match self {
            Algorithm::Crc32 => crc32(0xEDB8_8320, &body.bytes()).to_be_bytes().to_vec(),
            Algorithm::Crc32c => crc32(0x82F6_3B78, &body.bytes()).to_be_bytes().to_vec(),
            Algorithm::Crc64Nvme => body.crc64nvme().to_be_bytes().to_vec(),
            Algorithm::Sha1 => digest(&SHA1_FOR_LEGACY_USE_ONLY, &body.bytes()).as_ref().to_vec(),
            Algorithm::Sha256 => Sha256::digest(body.bytes()).to_vec(),
            Algorithm::Sha512 => digest(&SHA512, &body.bytes()).as_ref().to_vec(),
            Algorithm::Md5 => Md5::digest(body.bytes()).to_vec(),
            Algorithm::Xxhash64 => XxHash64::oneshot(0, &body.bytes()).to_be_bytes().to_vec(),
            Algorithm::Xxhash3 => XxHash3_64::oneshot(&body.bytes()).to_be_bytes().to_vec(),
            Algorithm::Xxhash128 => XxHash3_128::oneshot(&body.bytes()).to_be_bytes().to_vec(),
        }
    }
}

fn crc32(polynomial: u32, bytes: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|byte| {
        (0..8).fold(byte as u32, |crc, _| (crc >> 1) ^ if crc & 1 == 1 { polynomial } else { 0 })
    });
    !bytes.iter().fold(!0, |crc, byte| table[((crc ^ u32::from(*byte)) & 255) as usize] ^ (crc >> 8))
}

/// A checksum as S3 shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    pub algorithm: Algorithm,
    /// Base64; a checksum of checksums ends in `-n`.
    pub value: String,
    /// FULL_OBJECT, otherwise COMPOSITE.
    pub full: bool,
}

impl Checksum {
    pub(crate) fn full(algorithm: Algorithm, body: &Body) -> Checksum {
        Checksum { algorithm, value: STANDARD.encode(algorithm.digest(body)), full: true }
    }

    /// The checksum of the parts' checksums.
    pub(crate) fn composite(algorithm: Algorithm, parts: &[&Checksum]) -> Checksum {
        let joined: Vec<u8> = parts.iter().flat_map(|part| STANDARD.decode(&part.value).unwrap_or_default()).collect();
        let value = STANDARD.encode(algorithm.digest(&joined.into()));
        Checksum { algorithm, value: format!("{value}-{}", parts.len()), full: false }
    }

    pub(crate) fn kind(&self) -> &'static str {
        if self.full { "FULL_OBJECT" } else { "COMPOSITE" }
    }

    pub(crate) fn xml(&self) -> String {
        let name = self.algorithm.name();
        format!("<Checksum{name}>{}</Checksum{name}>", self.value)
    }
}

/// Compares every digest that came with the content; gives the S3 checksum among them.
pub fn verify(
    request: &Request,
    trailers: &BTreeMap<String, String>,
    body: &Body,
) -> Result<Option<Checksum>, Refusal> {
    let mut found = None;
    for algorithm in Algorithm::ALL {
        let name = algorithm.header();
        let claimed = request.header(&name).or(trailers.get(&name).map(String::as_str));
        let Some(claimed) = claimed else { continue };
        let real = Checksum::full(algorithm, body);
        if real.value != claimed {
            let name = algorithm.name();
            return Err(Refusal::new(
                400,
                "BadDigest",
                format!("The {name} you specified did not match the calculated checksum."),
            ));
        }
        found = Some(real);
    }
    if let Some(md5) = request.header("content-md5")
        && md5 != STANDARD.encode(Md5::digest(body.bytes()))
    {
        return Err(Refusal::new(400, "BadDigest", "The Content-MD5 you specified did not match what we received."));
    }
    verify_payload_hash(request)?;
    Ok(found)
}

fn verify_payload_hash(request: &Request) -> Result<(), Refusal> {
    match request.header("x-amz-content-sha256") {
        Some(hash) if hash.len() == 64 && request.body.len() <= HASHED => {
            if super::store::hex(&Sha256::digest(&request.body)) == hash {
                return Ok(());
            }
            Err(Refusal::new(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ))
        }
        Some(_) => Ok(()),
        None => {
            Err(Refusal::new(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"))
        }
    }
}
