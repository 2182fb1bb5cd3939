//! Reads artifacts again and compares their bytes with the source and with the recorded checksums.

use std::io::Read;

use anyhow::{Context, Result};
use aws_lc_rs::digest::{Context as Sha, SHA1_FOR_LEGACY_USE_ONLY, SHA512};
use aws_smithy_types::base64;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use futures_util::TryStreamExt;
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Algorithm, Body, Checksum, ETag, SourceObjects, TargetObjects};
use crate::record::facts::ArtifactFacts;
use crate::record::verification::{Verdict, head};
use crate::store::Spooled;

/// The checksums of an object or a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Hashes {
    /// The SHA-256.
    pub sha256: Vec<u8>,
    /// The checksum, as S3 has it.
    pub checksum: Checksum,
}

/// The checksums of a copy, and what S3 reports of it.
struct Copy {
    hashes: Hashes,
    reported: (Verdict, String),
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
    let recorded = artifact.checksum.as_ref();
    let computed = recorded.filter(|then| Hasher::of(then.algorithm).is_some());
    let algorithm = computed.map(|checksum| checksum.algorithm).unwrap_or_default();
    let (there, origin) =
        tokio::join!(target_hashes(target, artifact, algorithm), source_hashes(source, artifact, algorithm));
    let Some(there) = there? else { return Ok((Verdict::Missing, "the object does not exist".into())) };
    if let Some(then) = computed.filter(|then| **then != there.hashes.checksum) {
        let now = &there.hashes.checksum.value;
        return Ok((Verdict::Changed, format!("the {algorithm} of its bytes is {now}, and was {}", then.value)));
    }
    let unknown = match recorded {
        None => "no checksum is recorded".to_owned(),
        Some(then) => format!("`promote` cannot compute the recorded {}", then.algorithm),
    };
    Ok(match (origin, computed) {
        (Ok(Some(origin)), _) if origin == there.hashes => {
            (Verdict::Identical, "every byte equals the source object's".into())
        }
        (Ok(Some(_)), _) => (Verdict::Changed, "its bytes differ from the source object's".into()),
        (_, Some(_)) => (Verdict::Identical, format!("its bytes have the recorded {algorithm}")),
        (_, None) if recorded.is_some() && there.reported.0 == Verdict::Changed => there.reported,
        (Ok(None), None) => (Verdict::Unverifiable, format!("{unknown}, and the source object no longer exists")),
        (Err(error), None) => {
            (Verdict::Unverifiable, format!("{unknown}, and the source object cannot be read: {error}"))
        }
    })
}

async fn target_hashes(
    target: &TargetObjects,
    artifact: &ArtifactFacts,
    algorithm: Algorithm,
) -> Result<Option<Copy>, CallError> {
    let there = match target.head(&artifact.target).await {
        Err(error) if error.kind == Kind::NotFound => return Ok(None),
        there => there?,
    };
    let hashes = match there.size {
        0 => Hashing::new(algorithm).end(),
        size => hashes(target.get(&artifact.target, 0..size, &there.etag).await?, algorithm).await?,
    };
    Ok(Some(Copy { hashes, reported: head(artifact, &there) }))
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
    /// SHA-1 or SHA-512.
    Sha(Sha),
    /// The SHA-256 is computed in any case.
    Sha256,
    Md5(Md5),
}

impl Hasher {
    /// Nothing for algorithms that `promote` does not compute.
    fn of(algorithm: Algorithm) -> Option<Self> {
        Some(match algorithm {
            Algorithm::Crc64Nvme => Self::Crc64(Crc::new(CrcAlgorithm::Crc64Nvme)),
            Algorithm::Crc32 => Self::Crc32(Crc::new(CrcAlgorithm::Crc32IsoHdlc)),
            Algorithm::Crc32C => Self::Crc32(Crc::new(CrcAlgorithm::Crc32Iscsi)),
            Algorithm::Sha1 => Self::Sha(Sha::new(&SHA1_FOR_LEGACY_USE_ONLY)),
            Algorithm::Sha256 => Self::Sha256,
            Algorithm::Sha512 => Self::Sha(Sha::new(&SHA512)),
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Xxhash64 | Algorithm::Xxhash3 | Algorithm::Xxhash128 => return None,
        })
    }
}

impl Hashing {
    fn new(algorithm: Algorithm) -> Self {
        let checksum = Hasher::of(algorithm).expect("compare_bytes passes algorithms that are computed");
        Self { sha256: Sha256::new(), checksum, algorithm }
    }

    fn update(&mut self, chunk: &[u8]) {
        self.sha256.update(chunk);
        match &mut self.checksum {
            Hasher::Crc32(crc) | Hasher::Crc64(crc) => crc.update(chunk),
            Hasher::Sha(sha) => sha.update(chunk),
            Hasher::Sha256 => {}
            Hasher::Md5(md5) => md5.update(chunk),
        }
    }

    fn end(self) -> Hashes {
        let sha256 = self.sha256.finalize().to_vec();
        let value = match self.checksum {
            Hasher::Crc32(crc) => base64::encode(&crc.finalize().to_be_bytes()[4..]),
            Hasher::Crc64(crc) => base64::encode(crc.finalize().to_be_bytes()),
            Hasher::Sha(sha) => base64::encode(sha.finish()),
            Hasher::Sha256 => base64::encode(&sha256),
            Hasher::Md5(md5) => base64::encode(md5.finalize()),
        };
        Hashes { sha256, checksum: Checksum { algorithm: self.algorithm, value } }
    }
}
