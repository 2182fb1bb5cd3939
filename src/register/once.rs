//! Finds the one promotion of a source version, or registers it. At most one run at a time may register it: the run
//! that has the newest claim.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::attempt::{Attempt, FoundPromotion, Registering};
use super::decision::RecordedApproval;
use super::event::RegistrationEvent;
use super::existing::ExistingPromotions;
use super::services::{ClaimStore, Registry, SourceVersions};
use super::visibility::{FIRST_WAIT, LONGEST_WAIT, Visibility};
use crate::model::claim::{ClaimSeen, LEASE};
use crate::model::failure::{Failure, Hint};
use crate::model::field::Document;
use crate::model::promoted::PromotedVersion;

/// Claims to try. A claim is of no use if writing it took too long, or if its client token returns a version that was
/// deleted: CreateModelPackage returns the version that the token created before, even if that version was deleted.
const ATTEMPTS: usize = 4;

/// What is known of the newest claim.
enum Newest {
    None,
    /// Of another run.
    Other(Box<ClaimSeen>),
    /// Of this run, which registers nothing under it any more.
    Own(u32),
}

impl<R: Registry, S: SourceVersions, C: ClaimStore> Registering<'_, R, S, C> {
    /// Finds the promotion of the source version, or registers it. `existing` and `newest` are the promotions and the
    /// newest claim that were found before the copy.
    pub async fn find_or_create(
        &self,
        mut existing: ExistingPromotions,
        newest: Option<ClaimSeen>,
    ) -> Result<FoundPromotion> {
        let mut newest = newest.map_or(Newest::None, |claim| Newest::Other(Box::new(claim)));
        let mut waiting = Waiting { until: self.registry.now() + self.policy.patience, pause: None };
        let (mut attempts, mut tokens, mut deleted) = (0, 0, 0);
        loop {
            if let Some((promoted, source_now)) = self.current(&mut existing).await? {
                let recorded = self.recorded(&newest).await?;
                return Ok(FoundPromotion { promoted, source_now, new: false, recorded, existing });
            }
            if let Newest::Other(claim) = &mut newest
                && !claim.is_stale_at(existing.listed())
            {
                // The version of this claim may be newer than the listing: wait, then list again.
                self.wait_for_other(&mut waiting, claim).await?;
                let refreshed = existing.refreshed(self.registry, self.group, self.package);
                let (refreshed, is_released) = tokio::join!(refreshed, self.claims.is_released(claim.number));
                (existing, claim.is_released) = (refreshed?, is_released?);
                continue;
            }
            let number = match &newest {
                Newest::None => 0,
                Newest::Other(claim) => {
                    tokens = tokens.max(self.tokens_before(claim));
                    self.number_after(claim.number)?
                }
                Newest::Own(number) => self.number_after(*number)?,
            };
            tokens = tokens.max(existing.abandoned());
            newest = match self.attempt(number, &mut existing, tokens).await? {
                Attempt::Found(found) => return Ok(*found),
                Attempt::Lost(claim) => Newest::Other(claim),
                Attempt::TooLate => Newest::Own(number),
                Attempt::Deleted => {
                    tokens += 1;
                    deleted += 1;
                    Newest::Own(number)
                }
            };
            attempts += usize::from(matches!(newest, Newest::Own(_)));
            if attempts == ATTEMPTS {
                return Err(self.gave_up(deleted).into());
            }
        }
    }

    /// The failure after the last attempt.
    fn gave_up(&self, deleted: usize) -> Failure {
        let failed = format!("{} was not registered in {}", self.package.arn(), self.group);
        if deleted == 0 {
            let message = format!("{failed}: every attempt to write a claim took more than 10 s");
            return Failure::new(message).hint("Run again");
        }
        let others = match deleted {
            ATTEMPTS => "",
            _ => "; every other attempt to write a claim took more than 10 s",
        };
        let message = format!(
            "{failed}: in {deleted} of {ATTEMPTS} attempts, CreateModelPackage returned a version that \
             DescribeModelPackage did not find{others}"
        );
        Failure::new(message)
            .hint("See in CloudTrail (DeleteModelPackage) who deletes new versions of the group, then run again")
    }

    /// The number of the next claim. Runs number their claims from 0, so no run has written a claim with the highest
    /// number.
    fn number_after(&self, number: u32) -> Result<u32> {
        let next = number.checked_add(1).with_context(|| {
            format!(
                "{} cannot be registered in {}: claim {number} has the highest possible number",
                self.package.arn(),
                self.group
            )
        });
        next.hint(format!("Delete the object _claims/{number}.json beside the artifacts: promote did not write it"))
    }

    /// The current promotion and the source version, as they are now. The promotion may have been found long ago,
    /// before the artifacts were copied.
    async fn current(&self, existing: &mut ExistingPromotions) -> Result<Option<(PromotedVersion, Document)>> {
        while let Some(arn) = existing.current().map(|current| current.arn.clone()) {
            let source = self.source.describe(self.package.arn());
            let (described, source_now) = tokio::join!(Visibility::LATE.find(self.registry, &arn), source);
            existing.update(&arn, described?);
            if let Some(current) = existing.current().filter(|current| current.arn == arn) {
                return Ok(Some((current.clone(), source_now?)));
            }
        }
        Ok(None)
    }

    /// The approval of a version that another run has registered: as it is recorded, or as the newest claim has it if
    /// that run has not written its record.
    async fn recorded(&self, newest: &Newest) -> Result<Option<RecordedApproval>> {
        if self.policy.recorded.is_some() {
            return Ok(self.policy.recorded.clone());
        }
        let (mut claim, mut next) = match newest {
            Newest::None => (None, Some(0)),
            Newest::Other(seen) => (Some(ClaimSeen::clone(seen)), seen.number.checked_add(1)),
            Newest::Own(number) => (None, number.checked_add(1)),
        };
        // The version may have been listed after the claims.
        while let Some(number) = next
            && let Some(seen) = self.claims.read(number).await?
        {
            next = number.checked_add(1);
            claim = Some(seen);
        }
        Ok(match newest {
            Newest::None | Newest::Other(_) => RecordedApproval::unrecorded(claim.as_ref()),
            Newest::Own(_) => RecordedApproval::claimed(claim.as_ref()),
        })
    }

    /// Waits for the run that has the claim, with growing pauses. Does not wait the first time: the run may have ended
    /// since the last listing.
    async fn wait_for_other(&self, waiting: &mut Waiting, claim: &ClaimSeen) -> Result<()> {
        let Some(pause) = waiting.pause else {
            waiting.pause = Some(FIRST_WAIT);
            return Ok(());
        };
        let now = self.registry.now();
        if now >= waiting.until {
            let by = claim.claim.as_ref().map(|claim| format!(" ({}, since {})", claim.caller, claim.started));
            bail!(
                Failure::new(format!(
                    "another run{} is registering {} in {}, and its version was not visible after {} s",
                    by.unwrap_or_default(),
                    self.package.arn(),
                    self.group,
                    self.policy.patience.as_secs()
                ))
                .hint("Run again")
            );
        }
        if pause == FIRST_WAIT {
            (self.tell)(RegistrationEvent::WaitingForRun(claim.claim.as_ref()));
        }
        let lease = LEASE.saturating_sub(claim.age_at(now));
        self.registry.sleep(pause.min(waiting.until - now).min(lease)).await;
        waiting.pause = Some((pause * 2).min(LONGEST_WAIT));
        Ok(())
    }
}

/// The wait for other runs.
struct Waiting {
    until: Instant,
    /// The next pause; nothing before the first look.
    pause: Option<Duration>,
}
