//! Reads artifacts again and compares their bytes with the source and with the recorded checksums.

use std::io::Read;

use anyhow::{Context, Result};
use aws_lc_rs::digest::{Context as Sha1, SHA1_FOR_LEGACY_USE_ONLY};
use aws_smithy_types::base64;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};

use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Algorithm, Body, Checksum, ETag, SourceObjects, TargetObjects};
use crate::record::facts::ArtifactFacts;
use crate::record::verification::Verdict;
use crate::store::Spooled;

/// The checksums of an object or a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Hashes {
    /// The SHA-256.
    pub sha256: Vec<u8>,
    /// The checksum, as S3 has it.
    pub checksum: Checksum,
}

impl Hashes {
    /// The SHA-256 and the CRC64NVME of a document.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn of(document: &Spooled) -> Result<Self> {
        let mut hashing = Hashing::new(Algorithm::default());
        let (mut reader, mut chunk) = (document.reader(), vec![0; 64 << 10]);
        loop {
            match reader.read(&mut chunk).context("reading the temporary file")? {
                0 => return Ok(hashing.end()),
                read => hashing.update(&chunk[..read]),
            }
        }
    }
}

/// Reads an artifact at the source and in the target, and compares both. If the source object cannot be read or was
/// replaced, the recorded checksum decides.
///
/// # Errors
/// The target cannot be read.
pub async fn compare_bytes(
    target: &TargetObjects,
    source: &SourceObjects,
    artifact: &ArtifactFacts,
) -> Result<(Verdict, String)> {
    let algorithm = artifact.checksum.as_ref().map(|checksum| checksum.algorithm).unwrap_or_default();
    let (there, origin) =
        tokio::join!(target_hashes(target, artifact, algorithm), source_hashes(source, artifact, algorithm));
    let Some(there) = there? else { return Ok((Verdict::Missing, "the object does not exist".into())) };
    if let Some(then) = artifact.checksum.as_ref().filter(|then| **then != there.checksum) {
        let now = &there.checksum.value;
        return Ok((Verdict::Changed, format!("the {algorithm} of its bytes is {now}, and was {}", then.value)));
    }
    Ok(match (origin, &artifact.checksum) {
        (Ok(Some(origin)), _) if origin == there => {
            (Verdict::Identical, "every byte equals the source object's".into())
        }
        (Ok(Some(_)), _) => (Verdict::Changed, "its bytes differ from the source object's".into()),
        (_, Some(_)) => (Verdict::Identical, format!("its bytes have the recorded {algorithm}")),
        (Ok(None), None) => {
            (Verdict::Unverifiable, "no checksum is recorded, and the source object no longer exists".into())
        }
        (Err(error), None) => {
            (Verdict::Unverifiable, format!("no checksum is recorded, and the source object cannot be read: {error}"))
        }
    })
}

async fn target_hashes(
    target: &TargetObjects,
    artifact: &ArtifactFacts,
    algorithm: Algorithm,
) -> Result<Option<Hashes>, CallError> {
    let head = match target.head(&artifact.target).await {
        Err(error) if error.kind == Kind::NotFound => return Ok(None),
        head => head?,
    };
    if head.size == 0 {
        return Ok(Some(Hashing::new(algorithm).end()));
    }
    hashes(target.get(&artifact.target, 0..head.size, &head.etag).await?, algorithm).await.map(Some)
}

/// Reads the source object; nothing for a rewritten manifest, whose bytes differ from the source's.
async fn source_hashes(
    source: &SourceObjects,
    artifact: &ArtifactFacts,
    algorithm: Algorithm,
) -> Result<Option<Hashes>, CallError> {
    let copied = format!("/{}/{}", artifact.source.bucket, artifact.source.key);
    let is_copy = artifact.target.key.strip_suffix(&copied).is_some_and(|folder| !folder.ends_with("/_manifests"));
    if !is_copy {
        return Ok(None);
    }
    match source.get_whole(&artifact.source, artifact.bytes, &ETag::new(&artifact.etag)).await {
        Ok((_, body)) => hashes(body, algorithm).await.map(Some),
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::PreconditionFailed) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn hashes(mut body: Body, algorithm: Algorithm) -> Result<Hashes, CallError> {
    let mut hashing = Hashing::new(algorithm);
    while let Some(chunk) = body.try_next().await? {
        hashing.update(&chunk);
    }
    Ok(hashing.end())
}

struct Hashing {
    sha256: Sha256,
    checksum: Hasher,
    algorithm: Algorithm,
}

enum Hasher {
    Crc32(Crc),
    Crc64(Crc),
    Sha1(Sha1),
    /// The SHA-256 is computed in any case.
    Sha256,
}

impl Hashing {
    fn new(algorithm: Algorithm) -> Self {
        let checksum = match algorithm {
            Algorithm::Crc64Nvme => Hasher::Crc64(Crc::new(CrcAlgorithm::Crc64Nvme)),
            Algorithm::Crc32 => Hasher::Crc32(Crc::new(CrcAlgorithm::Crc32IsoHdlc)),
            Algorithm::Crc32C => Hasher::Crc32(Crc::new(CrcAlgorithm::Crc32Iscsi)),
            Algorithm::Sha1 => Hasher::Sha1(Sha1::new(&SHA1_FOR_LEGACY_USE_ONLY)),
            Algorithm::Sha256 => Hasher::Sha256,
        };
        Self { sha256: Sha256::new(), checksum, algorithm }
    }

    fn update(&mut self, chunk: &[u8]) {
        self.sha256.update(chunk);
        match &mut self.checksum {
            Hasher::Crc32(crc) | Hasher::Crc64(crc) => crc.update(chunk),
            Hasher::Sha1(sha1) => sha1.update(chunk),
            Hasher::Sha256 => {}
        }
    }

    fn end(self) -> Hashes {
        let sha256 = self.sha256.finalize().to_vec();
        let value = match self.checksum {
            Hasher::Crc32(crc) => base64::encode(&crc.finalize().to_be_bytes()[4..]),
            Hasher::Crc64(crc) => base64::encode(crc.finalize().to_be_bytes()),
            Hasher::Sha1(sha1) => base64::encode(sha1.finish()),
            Hasher::Sha256 => base64::encode(&sha256),
        };
        Hashes { sha256, checksum: Checksum { algorithm: self.algorithm, value } }
    }
}
