//! Finds the one promotion of a source version, or registers it. At most one run at a time may register it: the run that
//! has the newest claim.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::decision::RecordedApproval;
use super::discarded::discard;
use super::existing::ExistingPromotions;
use super::news::News;
use super::policy::Policy;
use super::services::{ClaimStore, Registry, Source};
use super::visibility::{FIRST_WAIT, LONGEST_WAIT, Visibility};
use crate::aws::registry::NotCreated;
use crate::model::arn::{GroupName, PackageArn};
use crate::model::claim::{Claim, ClaimSeen, HOLD, LEASE};
use crate::model::failure::{Failure, Hint};
use crate::model::field::Document;
use crate::model::package::{Package, request_digest, sha256};
use crate::model::promoted::PromotedVersion;

/// Claims to try. A claim is of no use if writing it took too long, or if its client token returns a version that was
/// deleted: CreateModelPackage returns the version that the token created before, even if that version was deleted.
const ATTEMPTS: usize = 4;

/// The client token of a request. The same request has the same token, so that a retry does not register a second
/// version. Each abandoned attempt changes the token. At most 36 letters, digits and hyphens (CreateModelPackage).
pub fn client_token(request: &Document, abandoned: usize) -> String {
    let text = format!("{}#{abandoned}", request_digest(request));
    sha256(&text)[..32].to_owned()
}

/// A registration under way.
pub(super) struct Registering<'a, R, S, C> {
    pub source: &'a S,
    pub registry: &'a R,
    pub claims: &'a C,
    pub group: &'a GroupName,
    pub package: &'a Package,
    /// The request of CreateModelPackage, without the client token.
    pub request: &'a Document,
    pub source_uri: Option<&'a str>,
    pub policy: &'a Policy,
    /// The claim of this run, without the client token.
    pub claim: Claim,
    /// Is called with what happens.
    pub tell: &'a (dyn Fn(News<'_>) + Send + Sync),
}

/// The promotion that a run completes.
pub(super) struct Found {
    pub promoted: PromotedVersion,
    /// The current description of the source version.
    pub source_now: Document,
    /// Whether this run has registered the version.
    pub new: bool,
    /// The approval of the version that is recorded, or that the run that registered it has claimed.
    pub recorded: Option<RecordedApproval>,
    pub existing: ExistingPromotions,
}

/// What is known of the newest claim.
enum Newest {
    None,
    /// Of another run.
    Other(Box<ClaimSeen>),
    /// Of this run, which registers nothing under it any more.
    Own(u32),
}

/// The result of an attempt to register the version.
enum Attempt {
    Found(Box<Found>),
    /// Another run has the claim.
    Lost(Box<ClaimSeen>),
    /// The claim came too late.
    TooLate,
    /// The client token returned a version that was deleted.
    Deleted,
}

impl<R: Registry, S: Source, C: ClaimStore> Registering<'_, R, S, C> {
    /// Finds the promotion of the source version, or registers it. `existing` and `newest` are the promotions and the newest
    /// claim that were found before the copy.
    pub async fn find_or_create(&self, mut existing: ExistingPromotions, newest: Option<ClaimSeen>) -> Result<Found> {
        let mut newest = newest.map_or(Newest::None, |claim| Newest::Other(Box::new(claim)));
        let mut waiting = Waiting { until: self.registry.now() + self.policy.patience, pause: None };
        let (mut attempts, mut deleted) = (0, 0);
        loop {
            if let Some((promoted, source_now)) = self.current(&mut existing).await? {
                let recorded = self.recorded(&newest).await?;
                return Ok(Found { promoted, source_now, new: false, recorded, existing });
            }
            if let Newest::Other(claim) = &mut newest
                && !claim.is_stale_at(existing.listed())
            {
                // The listing is older than the version that the claim may have led to.
                self.wait_for_other(&mut waiting, claim).await?;
                let refreshed = existing.refreshed(self.registry, self.group, self.package);
                let (refreshed, is_released) = tokio::join!(refreshed, self.claims.is_released(claim.number));
                (existing, claim.is_released) = (refreshed?, is_released?);
                continue;
            }
            let number = match &newest {
                Newest::None => 0,
                Newest::Other(claim) => self.number_after(claim.number)?,
                Newest::Own(number) => self.number_after(*number)?,
            };
            newest = match self.attempt(number, &mut existing, deleted).await? {
                Attempt::Found(found) => return Ok(*found),
                Attempt::Lost(claim) => Newest::Other(claim),
                Attempt::TooLate => Newest::Own(number),
                Attempt::Deleted => {
                    deleted += 1;
                    Newest::Own(number)
                }
            };
            attempts += usize::from(matches!(newest, Newest::Own(_)));
            let (source, group) = (self.package.arn(), self.group);
            ensure!(
                attempts < ATTEMPTS,
                Failure::new(match deleted {
                    0 => format!(
                        "{source} was not registered in {group}: every attempt to write a claim took more than 10 s"
                    ),
                    _ => format!("{source} was not registered in {group}: CreateModelPackage returned a deleted version in every attempt"),
                })
                .hint("Run again")
            );
        }
    }

    /// The number of the next claim. Runs number their claims from 0, so no run has written a claim with the highest number.
    fn number_after(&self, number: u32) -> Result<u32> {
        let next = number.checked_add(1).with_context(|| {
            format!(
                "{} cannot be registered in {}: no number follows that of claim {number}",
                self.package.arn(),
                self.group
            )
        });
        next.hint(format!("Delete the object _claims/{number}.json beside the artifacts: it is no claim of promote"))
    }

    /// The current promotion and the source version, as they are now. The promotion may have been found long ago, before
    /// the artifacts were copied.
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

    /// The approval of a version that another run has registered: as it is recorded, or as the newest claim has it if that
    /// run has not written its record.
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
        Ok(RecordedApproval::claimed(claim.as_ref()))
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
            (self.tell)(News::WaitingForRun(claim));
        }
        let lease = LEASE.saturating_sub(claim.age_at(now));
        self.registry.sleep(pause.min(waiting.until - now).min(lease)).await;
        waiting.pause = Some((pause * 2).min(LONGEST_WAIT));
        Ok(())
    }

    /// Writes a claim, and registers the version if no other run has this claim.
    async fn attempt(&self, number: u32, existing: &mut ExistingPromotions, deleted: usize) -> Result<Attempt> {
        let token = client_token(self.request, existing.abandoned() + deleted);
        let claim = Claim { client_token: token.clone(), ..self.claim.clone() };
        // The age of the claim counts from here or later.
        let begun = self.registry.now();
        let mut written = self.write_unless_held(number, &claim).await?;
        while !written {
            match self.claims.read(number).await? {
                // The response to the first attempt of the write was lost.
                Some(seen) if seen.claim.as_ref() == Some(&claim) => break,
                Some(seen) => return Ok(Attempt::Lost(Box::new(seen))),
                // Two writes at once: S3 has refused both.
                None if self.registry.now() < begun + HOLD => {}
                None => return Ok(Attempt::TooLate),
            }
            written = self.claims.write(number, &claim).await?;
        }
        if self.registry.now() > begun + HOLD {
            return Ok(Attempt::TooLate);
        }
        let mut request = self.request.clone();
        request.insert("ClientToken".into(), token.into());
        let created = match self.registry.create(&request).await {
            Ok(created) => created,
            Err(NotCreated { error, is_refused }) => {
                if is_refused {
                    // Ignore errors: then the next run waits until the claim is stale.
                    let _ = self.claims.release(number, &claim).await;
                }
                return Err(error.into());
            }
        };
        (self.tell)(News::Created(&created));
        self.confirm(existing, &created).await
    }

    /// Writes a claim, and looks for a hold at the same time: the artifacts may have been copied for hours, and nothing is
    /// registered in a group that is held meanwhile.
    async fn write_unless_held(&self, number: u32, claim: &Claim) -> Result<bool> {
        let (written, looked) = tokio::join!(self.claims.write(number, claim), self.source.refuse_held());
        if let Err(held) = looked {
            if matches!(written, Ok(true)) {
                // Ignore errors: then the next run waits until the claim is stale.
                let _ = self.claims.release(number, claim).await;
            }
            return Err(held);
        }
        Ok(written?)
    }

    /// Waits until the version that this run has registered is visible. If another run has registered a lower version all
    /// the same, that is the promotion, and this run discards its version.
    async fn confirm(&self, existing: &mut ExistingPromotions, created: &PackageArn) -> Result<Attempt> {
        let visibility = Visibility::within(self.policy.patience);
        let may_be_late = existing.is_newest(created);
        let mut source_now = self.describe_all_sides(existing, created, Visibility::NONE).await?;
        // While this run waited, other runs may have registered the version, or the source may have been rejected.
        if may_be_late && !existing.contains(created) && visibility.wait(self.registry, created).await? {
            source_now = self.describe_all_sides(existing, created, visibility).await?;
        }
        let Some(promoted) = existing.current().cloned() else { return Ok(Attempt::Deleted) };
        let new = promoted.arn == *created;
        if !new {
            let reason = anyhow::anyhow!("{} is the same promotion, from another run", promoted.arn);
            discard(self.registry, created, reason).await?;
            existing.update(created, None);
        }
        Ok(Attempt::Found(Box::new(Found {
            promoted,
            source_now,
            new,
            recorded: self.policy.recorded.clone(),
            existing: existing.clone(),
        })))
    }

    /// Describes the created version, the versions that others have registered meanwhile, and the source version.
    async fn describe_all_sides(
        &self,
        existing: &mut ExistingPromotions,
        created: &PackageArn,
        visibility: Visibility,
    ) -> Result<Document> {
        let known = existing.clone().with_created(self.registry, self.group, self.package, created, visibility);
        let (known, source_now) = tokio::join!(known, self.source.describe(self.package.arn()));
        let unchecked = "is registered and pending approval; concurrent registrations could not be checked";
        *existing = known.with_context(|| format!("{created} {unchecked}")).hint("Run again")?;
        let source_now = source_now.with_context(|| format!("{created} is registered and pending approval"));
        source_now.hint("Run again")
    }
}

/// The wait for other runs.
struct Waiting {
    until: Instant,
    /// The next pause; nothing before the first look.
    pause: Option<Duration>,
}
