//! Claims of registrations, as objects in the folder of a promotion.

use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;

use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Attributes, Encryption, TargetObjects};
use crate::model::claim::{Claim, ClaimRelease, ClaimSeen};
use crate::model::layout::Layout;
use crate::model::location::Location;

/// The size limit of a claim, in bytes. A claim has about 1 KB: a larger object is no claim.
const MAX_BYTES: u64 = 64 << 10;

/// The claims in the folder of one promotion.
#[derive(Debug)]
pub struct Claims<'a> {
    /// S3 in the target account.
    pub target: &'a TargetObjects,
    /// The keys of the promotion.
    pub layout: Layout,
    /// The encryption of new claims.
    pub encryption: Encryption,
}

impl Claims<'_> {
    /// Writes a claim. Returns false if the number is taken.
    pub async fn write(&self, number: u32, claim: &Claim) -> Result<bool, CallError> {
        let text = serde_json::to_vec_pretty(claim).expect("a claim is JSON: its members are strings and a number");
        self.put_new(&self.layout.claim(number), text).await
    }

    /// Releases a claim of this run.
    pub async fn release(&self, number: u32, claim: &Claim) -> Result<(), CallError> {
        let text =
            serde_json::to_vec_pretty(&ClaimRelease::of(claim)).expect("a release is JSON: its members are strings");
        self.put_new(&self.layout.release(number), text).await.map(drop)
    }

    /// Whether a claim was released.
    pub async fn is_released(&self, number: u32) -> Result<bool, CallError> {
        Ok(self.target.read_with_age(&self.layout.release(number), MAX_BYTES).await?.is_some())
    }

    async fn put_new(&self, at: &Location, text: Vec<u8>) -> Result<bool, CallError> {
        let attributes = Attributes { content_type: Some("application/json".into()), ..Attributes::default() };
        match self.target.put_new(at, Bytes::from(text), &attributes, &self.encryption, None).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == Kind::PreconditionFailed => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads a claim; nothing if there is none with this number.
    pub async fn read(&self, number: u32) -> Result<Option<ClaimSeen>, CallError> {
        read(self.target, &self.layout, number).await
    }
}

/// Reads a claim; nothing if there is none with this number.
pub(super) async fn read(target: &TargetObjects, layout: &Layout, number: u32) -> Result<Option<ClaimSeen>, CallError> {
    let Some((text, age)) = target.read_with_age(&layout.claim(number), MAX_BYTES).await? else { return Ok(None) };
    let (claim, read) = (text.and_then(|text| serde_json::from_slice(&text).ok()), Instant::now());
    Ok(Some(ClaimSeen { number, claim, age, read, is_released: false }))
}

/// The claims in the folder of a promotion, oldest first. None, if there is no bucket, or they may not be read.
///
/// # Errors
/// The claims cannot be listed or read.
pub async fn claims(target: &TargetObjects, layout: &Layout) -> Result<Vec<ClaimSeen>, CallError> {
    match all(target, layout).await {
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Denied) => Ok(Vec::new()),
        claims => claims,
    }
}

async fn all(target: &TargetObjects, layout: &Layout) -> Result<Vec<ClaimSeen>, CallError> {
    let folder = layout.claims();
    let (mut pages, mut claimed) = (target.list(&folder.bucket, &folder.key), Vec::new());
    while let Some(page) = pages.next().await? {
        for number in page.iter().filter_map(|listed| layout.claim_number(&listed.key)) {
            claimed.extend(read(target, layout, number).await?);
        }
    }
    claimed.sort_by_key(|seen| seen.number);
    Ok(claimed)
}
