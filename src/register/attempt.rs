//! An attempt to register a version under a claim of this run.

use anyhow::{Context, Result};

use super::decision::RecordedApproval;
use super::discarded::discard;
use super::event::RegistrationEvent;
use super::existing::ExistingPromotions;
use super::policy::RegistrationPolicy;
use super::services::{ClaimStore, Registry, SourceVersions};
use super::visibility::Visibility;
use crate::aws::registry::NotCreated;
use crate::model::arn::{GroupName, PackageArn};
use crate::model::claim::{CLAIM_WITHIN, Claim, ClaimSeen, VISIBLE_WITHIN};
use crate::model::failure::{Failure, Hint, RUN_AGAIN};
use crate::model::field::Document;
use crate::model::package::{Package, request_digest, sha256};
use crate::model::promoted::PromotedVersion;
use crate::schema::comparison::differences;

/// The client token of a request. The same request has the same token, so that a retry does not register a second
/// version. Each abandoned attempt changes the token. At most 36 letters, digits and hyphens (CreateModelPackage).
pub fn client_token(request: &Document, abandoned: usize) -> String {
    let text = format!("{}#{abandoned}", request_digest(request));
    sha256(&text)[..32].to_owned()
}

/// The client tokens among which that of a claim is looked for.
const MOST_TOKENS: usize = 1000;

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
    pub policy: &'a RegistrationPolicy,
    /// The claim of this run, without the client token.
    pub claim: Claim,
    /// Is called with what happens.
    pub tell: &'a (dyn Fn(RegistrationEvent<'_>) + Send + Sync),
}

/// The promotion that a run completes.
pub(super) struct FoundPromotion {
    pub promoted: PromotedVersion,
    /// The current description of the source version.
    pub source_now: Document,
    /// Whether this run has registered the version.
    pub new: bool,
    /// The approval of the version that is recorded, or that the run that registered it has claimed.
    pub recorded: Option<RecordedApproval>,
    pub existing: ExistingPromotions,
}

/// The result of an attempt to register the version.
pub(super) enum Attempt {
    Found(Box<FoundPromotion>),
    /// Another run has the claim.
    Lost(Box<ClaimSeen>),
    /// The claim came too late.
    TooLate,
    /// The client token returned a version that was deleted.
    Deleted,
}

impl<R: Registry, S: SourceVersions, C: ClaimStore> Registering<'_, R, S, C> {
    /// Writes a claim, and registers the version if no other run has this claim.
    ///
    /// `tokens`: the number of client tokens that are used up, because each belongs to a deleted or an abandoned version.
    pub async fn attempt(&self, number: u32, existing: &mut ExistingPromotions, tokens: usize) -> Result<Attempt> {
        let token = client_token(self.request, tokens);
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
                None if self.registry.now() < begun + CLAIM_WITHIN => {}
                None => return Ok(Attempt::TooLate),
            }
            written = self.claims.write(number, &claim).await?;
        }
        if self.registry.now() > begun + CLAIM_WITHIN {
            return Ok(Attempt::TooLate);
        }
        let mut request = self.request.clone();
        request.insert("ClientToken".into(), token.into());
        (self.tell)(RegistrationEvent::Creating);
        let created = match self.registry.create(&request).await {
            Ok(created) => created,
            Err(NotCreated { error, is_refused }) => {
                if is_refused {
                    (self.tell)(RegistrationEvent::Refused);
                    self.release(number, &claim).await;
                }
                return Err(error.into());
            }
        };
        (self.tell)(RegistrationEvent::Created(&created));
        self.confirm(existing, &created, (number, &claim)).await
    }

    /// Releases a claim of this run, so that other runs do not wait for it.
    async fn release(&self, number: u32, claim: &Claim) {
        // Ignore errors: then the next run waits until the claim is stale.
        let _ = self.claims.release(number, claim).await;
    }

    /// Writes a claim, and looks for a hold at the same time: the artifacts may have been copied for hours, and nothing
    /// is registered in a group that is held meanwhile.
    async fn write_unless_held(&self, number: u32, claim: &Claim) -> Result<bool> {
        let (written, looked) = tokio::join!(self.claims.write(number, claim), self.source.refuse_held());
        if let Err(held) = looked {
            if matches!(written, Ok(true)) {
                self.release(number, claim).await;
            }
            return Err(held);
        }
        Ok(written?)
    }

    /// Waits until the version that this run has registered is visible. If another run has registered a lower version
    /// all the same, that is the promotion, and this run discards its version.
    async fn confirm(
        &self,
        existing: &mut ExistingPromotions,
        created: &PackageArn,
        (number, claim): (u32, &Claim),
    ) -> Result<Attempt> {
        let visibility = Visibility::within(self.policy.patience);
        let may_be_late = existing.is_newest(created);
        let mut source_now = self.describe_all_sides(existing, created, Visibility::NONE).await?;
        // While this run waited, other runs may have registered the version, or the source may have been rejected.
        let tell = |waited| (self.tell)(RegistrationEvent::NotVisible { promoted: created, waited });
        if may_be_late && !existing.contains(created) && visibility.wait(self.registry, created, tell).await? {
            source_now = self.describe_all_sides(existing, created, visibility).await?;
        }
        if may_be_late && existing.current().is_none() && existing.failed(created).is_some() {
            // CreateModelPackage may have returned a failed version that another run has just deleted: look again when
            // DescribeModelPackage no longer shows a deleted version.
            self.registry.sleep(VISIBLE_WITHIN).await;
            existing.update(created, Visibility::NONE.find(self.registry, created).await?);
        }
        // A version that failed before this look is reported and discarded like any other that fails.
        let failed = || existing.failed(created).filter(|_| may_be_late);
        let Some(promoted) = existing.current().or_else(failed).cloned() else {
            let Some(refusal) = self.refuse_replaced(existing, created).await? else {
                return Ok(Attempt::Deleted);
            };
            self.release(number, claim).await;
            return Err(refusal.into());
        };
        let new = promoted.arn == *created;
        if !new {
            let reason = anyhow::anyhow!("{} is the same promotion, from another run", promoted.arn);
            discard(self.registry, created, reason).await?;
            existing.update(created, None);
        }
        Ok(Attempt::Found(Box::new(FoundPromotion {
            promoted,
            source_now,
            new,
            recorded: self.policy.recorded.clone(),
            existing: existing.clone(),
        })))
    }

    /// The refusal of a version that CreateModelPackage has returned and that does not look like the promotion. Its client
    /// token shows that a killed run has registered it. Nothing if that version was deleted.
    async fn refuse_replaced(&self, existing: &ExistingPromotions, created: &PackageArn) -> Result<Option<Failure>> {
        if existing.contains(created) {
            return Ok(None);
        }
        let Some(description) = Visibility::NONE.find(self.registry, created).await? else { return Ok(None) };
        let version = PromotedVersion { arn: created.clone(), description };
        if version.source().is_some() && !existing.is_other(created) {
            return Ok(None);
        }
        let differences = differences(self.request, &version.description);
        let lines: String = differences.iter().map(|found| format!("\n  {found}")).collect();
        let message = format!(
            "an earlier run has registered {created} for {}, and somebody has changed or replaced it since; nothing was \
             registered:{lines}",
            self.package.arn()
        );
        let hint = "Change these fields back, or delete the version if it is of no use, then run again; if it is \
                    somebody else's, promote with another `--target-prefix`";
        Ok(Some(Failure::new(message).hint(hint)))
    }

    /// The number of client tokens that earlier runs have used for this request before the one of this claim. Each of them
    /// has returned a version that was deleted.
    pub fn tokens_before(&self, claim: &ClaimSeen) -> usize {
        let Some(Claim { client_token: token, .. }) = &claim.claim else { return 0 };
        let used = usize::try_from(claim.number).unwrap_or(MOST_TOKENS).min(MOST_TOKENS);
        (0..=used).find(|before| client_token(self.request, *before) == *token).unwrap_or(0)
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
        *existing = known.with_context(|| format!("{created} {unchecked}")).hint(RUN_AGAIN)?;
        let source_now = source_now.with_context(|| format!("{created} is registered and pending approval"));
        source_now.hint(RUN_AGAIN)
    }
}
