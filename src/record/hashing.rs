//! Reads artifacts again and compares their bytes with the source and with the recorded checksums.

use std::io::Read;

use anyhow::{Context, Result};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};

use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Body, ETag, SourceObjects, TargetObjects};
use crate::record::facts::ArtifactFacts;
use crate::record::verification::Verdict;
use crate::store::Spooled;

/// The checksums of an object or a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Hashes {
    /// The SHA-256.
    pub sha256: Vec<u8>,
    /// The CRC64NVME in base64, as S3 writes it.
    pub crc64nvme: String,
}

impl Hashes {
    /// The hashes of a document.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn of(document: &Spooled) -> Result<Self> {
        let mut hashing = Hashing::default();
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
    let (there, origin) = tokio::join!(target_hashes(target, artifact), source_hashes(source, artifact));
    let Some(there) = there? else { return Ok((Verdict::Missing, "the object does not exist".into())) };
    if let Some(then) = artifact.crc64nvme.as_ref().filter(|then| **then != there.crc64nvme) {
        return Ok((Verdict::Changed, format!("the CRC64NVME of its bytes is {}, and was {then}", there.crc64nvme)));
    }
    Ok(match (origin, &artifact.crc64nvme) {
        (Ok(Some(origin)), _) if origin == there => {
            (Verdict::Identical, "every byte equals the source object's".into())
        }
        (Ok(Some(_)), _) => (Verdict::Changed, "its bytes differ from the source object's".into()),
        (_, Some(_)) => (Verdict::Identical, "its bytes have the recorded CRC64NVME".into()),
        (Ok(None), None) => {
            (Verdict::Unverifiable, "no checksum is recorded, and the source object no longer exists".into())
        }
        (Err(error), None) => {
            (Verdict::Unverifiable, format!("no checksum is recorded, and the source object cannot be read: {error}"))
        }
    })
}

async fn target_hashes(target: &TargetObjects, artifact: &ArtifactFacts) -> Result<Option<Hashes>, CallError> {
    let head = match target.head(&artifact.target).await {
        Err(error) if error.kind == Kind::NotFound => return Ok(None),
        head => head?,
    };
    if head.size == 0 {
        return Ok(Some(Hashing::default().end()));
    }
    hashes(target.get(&artifact.target, 0..head.size, &head.etag).await?).await.map(Some)
}

/// Reads the source object; nothing for a rewritten manifest, whose bytes differ from the source's.
async fn source_hashes(source: &SourceObjects, artifact: &ArtifactFacts) -> Result<Option<Hashes>, CallError> {
    let is_copy = artifact.target.key.ends_with(&format!("/{}/{}", artifact.source.bucket, artifact.source.key))
        && !artifact.target.key.contains("/_manifests/");
    if !is_copy {
        return Ok(None);
    }
    match source.get_whole(&artifact.source, artifact.bytes, &ETag::new(&artifact.etag)).await {
        Ok((_, body)) => hashes(body).await.map(Some),
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::PreconditionFailed) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn hashes(mut body: Body) -> Result<Hashes, CallError> {
    let mut hashing = Hashing::default();
    while let Some(chunk) = body.try_next().await? {
        hashing.update(&chunk);
    }
    Ok(hashing.end())
}

struct Hashing {
    sha256: Sha256,
    crc64nvme: Crc,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { sha256: Sha256::new(), crc64nvme: Crc::new(CrcAlgorithm::Crc64Nvme) }
    }
}

impl Hashing {
    fn update(&mut self, chunk: &[u8]) {
        self.sha256.update(chunk);
        self.crc64nvme.update(chunk);
    }

    fn end(self) -> Hashes {
        Hashes {
            sha256: self.sha256.finalize().to_vec(),
            crc64nvme: aws_smithy_types::base64::encode(self.crc64nvme.finalize().to_be_bytes()),
        }
    }
}
