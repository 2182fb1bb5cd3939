//! Claims: objects beside the artifacts by which concurrent runs register a version once.
//!
//! Before CreateModelPackage, a run writes the claim with the next free number, on the condition that nothing has its
//! key. Only the run that wrote a claim may register a version under it, and only at once. Claims are neither
//! overwritten nor deleted. A run whose request was refused releases its claim with another object.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::approval::Approval;
use super::arn::{GroupArn, PackageArn};

/// The version of the document.
const SCHEMA: u32 = 1;

/// If a run took longer than this to write a claim, it does not register under the claim.
pub const CLAIM_WITHIN: Duration = Duration::from_secs(10);
/// How long CreateModelPackage may take, with its retries.
pub const CREATE_TIMEOUT: Duration = Duration::from_secs(30);
/// A new version is visible to ListModelPackages and DescribeModelPackage within this time. Not measured at SageMaker:
/// a promotion has to tolerate 5 s.
pub const VISIBLE_WITHIN: Duration = Duration::from_secs(5);
/// A claim of this age can no longer lead to a version that is not visible: longer than [`CLAIM_WITHIN`],
/// [`CREATE_TIMEOUT`] and [`VISIBLE_WITHIN`] together. The other 15 s are for a request that the service still works on
/// after the client gave up.
pub const LEASE: Duration = Duration::from_secs(60);

/// The document of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The version of this document.
    pub schema: u32,
    /// What the claim is for, for people who find it.
    pub purpose: String,
    /// The source version.
    pub source_model_package_arn: PackageArn,
    /// The target group.
    pub target_model_package_group_arn: GroupArn,
    /// The digest of the CreateModelPackage request.
    pub request_sha256: String,
    /// The client token of the CreateModelPackage request.
    pub client_token: String,
    /// The ARN of the principal that registers the version.
    pub caller: String,
    /// When the run started.
    pub started: String,
    /// `--approval`, if it was given. If the run ends before it writes its record, a later run decides by this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// A random number, by which the run recognizes its claim if the response to its write was lost.
    pub run: String,
}

impl Claim {
    /// The claim of a run that starts to register `source`.
    pub fn new(source: &PackageArn, group: &GroupArn, request_sha256: &str, caller: &str, started: &str) -> Self {
        Self {
            schema: SCHEMA,
            purpose:
                "A run of promote is about to register the source version in the target group. Other runs wait for \
                      it, and take over if it does not register the version within a minute."
                    .to_owned(),
            source_model_package_arn: source.clone(),
            target_model_package_group_arn: group.clone(),
            request_sha256: request_sha256.to_owned(),
            client_token: String::new(),
            caller: caller.to_owned(),
            started: started.to_owned(),
            approval: None,
            run: format!("{:032x}", fastrand::u128(..)),
        }
    }
}

/// The document beside a claim that its run has released.
#[derive(Debug, Serialize)]
pub struct ClaimRelease<'a> {
    schema: u32,
    /// What the object says, for people who find it.
    purpose: &'static str,
    /// The random number of the run that has released its claim.
    run: &'a str,
}

impl<'a> ClaimRelease<'a> {
    /// Releases a claim of this run.
    pub fn of(claim: &'a Claim) -> Self {
        let purpose = "The run that wrote the claim with this number has registered nothing under it, and will not: \
                       SageMaker has refused its request, or has returned a version of an earlier run that somebody has \
                       changed, or the target group is held. The next run does not wait for it.";
        Self { schema: SCHEMA, purpose, run: &claim.run }
    }
}

/// A claim that another run has written.
#[derive(Debug, Clone)]
pub struct ClaimSeen {
    /// The number of the claim.
    pub number: u32,
    /// The document; nothing if it cannot be parsed.
    pub claim: Option<Claim>,
    /// The age of the claim when it was read, by the clock of S3.
    pub age: Duration,
    /// When the claim was read.
    pub read: Instant,
    /// Whether its run has released the claim. That run never registers a version under it.
    pub is_released: bool,
}

impl ClaimSeen {
    /// The age of the claim at a time of this process.
    ///
    /// The age when the claim was read is the difference of two times of S3, and the rest is measured by a clock that
    /// cannot be set: the time of day of this machine does not matter.
    pub fn age_at(&self, time: Instant) -> Duration {
        let since = time.saturating_duration_since(self.read);
        self.age.saturating_add(since).saturating_sub(self.read.saturating_duration_since(time))
    }

    /// Whether every version that the claim has led to was visible at this time.
    pub fn is_stale_at(&self, time: Instant) -> bool {
        self.is_released || self.age_at(time) >= LEASE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lease_is_longer_than_registering_and_becoming_visible_take() {
        assert!(LEASE > CLAIM_WITHIN + CREATE_TIMEOUT + VISIBLE_WITHIN + Duration::from_secs(10));
    }

    #[test]
    fn a_claim_that_was_stale_when_it_was_read_may_have_been_fresh_before() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let seen = ClaimSeen { number: 0, claim: None, age: LEASE, read: start + 5 * second, is_released: false };
        assert!(seen.is_stale_at(start + 5 * second) && seen.is_stale_at(start + 9 * second));
        assert!(!seen.is_stale_at(start + 4 * second));
        assert_eq!(seen.age_at(start), LEASE - 5 * second);
    }
}
