//! Registers a version in the target account: one promoted version per source version, also after interrupted or
//! concurrent runs. The version is approved last.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::aws::registry::{SourceRegistry, TargetRegistry};
use crate::copy::Copied;
use crate::model::approval::{Approval, ApprovalStatus};
use crate::model::arn::{GroupName, PackageArn};
use crate::model::failure::{Failure, Hint};
use crate::model::field::Document;
use crate::model::package::{Package, failure_reasons, request_digest, sha256};
use crate::model::package_status::PackageStatus;
use crate::model::promoted::PromotedVersion;
use crate::plan::Plan;
use crate::register::decision::Wanted;
use crate::register::discarded::{NotAsRequested, discard, yield_to};
use crate::register::existing::ExistingPromotions;
use crate::register::visibility::{FIRST_WAIT, LONGEST_WAIT, Visibility};
use crate::schema::comparison::differences;

/// How versions are registered.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Who approves the version.
    pub approval: Approval,
    /// How long SageMaker may take to complete the version.
    pub patience: Duration,
}

/// The result of a registration: the promoted version.
#[derive(Debug)]
pub struct Registration {
    /// The promoted version.
    pub arn: PackageArn,
    /// The artifacts that the version refers to.
    pub copied: Copied,
    /// The version's approval status.
    pub approval: ApprovalStatus,
    /// Whether this run has registered or approved the version. False if an earlier run had done both.
    pub changed: bool,
    /// Whether this run has approved a withdrawn version again.
    pub reapproved: bool,
    /// The values of the last Update, to be compared after it.
    updated: Option<Wanted>,
    /// How long Describe may fail to find the version.
    visibility: Visibility,
}

/// The state of a version after its last Update.
#[derive(Debug, Clone, Default)]
pub struct ReadBack {
    /// The approval status; nothing if the version could not be read or was not changed.
    pub approval: Option<ApprovalStatus>,
    /// What differs from the Update, or could not be read.
    pub unconfirmed: Option<String>,
}

impl Registration {
    /// Describes the version after its last Update.
    pub async fn read_back(&self, registry: &TargetRegistry) -> ReadBack {
        let Some(wanted) = &self.updated else { return ReadBack::default() };
        match self.visibility.describe(registry, &self.arn).await {
            Ok(description) => ReadBack {
                approval: Some(ApprovalStatus::of(&description)),
                unconfirmed: wanted.unconfirmed(&description),
            },
            Err(error) => {
                let unconfirmed = format!("the final state of the version could not be read: {error}");
                ReadBack { approval: None, unconfirmed: Some(unconfirmed) }
            }
        }
    }
}

/// Registers the version, or completes a registration that an earlier run has begun.
///
/// # Errors
/// The registry rejects the request, the version fails, or it differs from the request. A version that this run has
/// created is then deleted, or left Rejected. It is never Approved.
pub async fn register(
    (source, registry): (&SourceRegistry, &TargetRegistry),
    group: &GroupName,
    package: &Package,
    copied: Copied,
    existing: ExistingPromotions,
    policy: &Policy,
) -> Result<Registration> {
    let registering = Registering { source, registry, plan: copied.plan(), package, policy };
    let (promoted, source_now, new) = match existing.current().cloned() {
        Some(promoted) => (promoted, source.describe(package.arn()).await?, false),
        None => registering.create(group, existing).await?,
    };
    // The registry is eventually consistent: Describe may not find a version that was found before.
    let visibility = if new { Visibility::within(policy.patience) } else { Visibility::NONE };
    match registering.complete(&promoted, source_now, visibility).await {
        Ok(Completion { approval, updated }) => {
            let reapproved = promoted.is_withdrawn() && approval != promoted.approval();
            let changed = new || updated.is_some();
            Ok(Registration { arn: promoted.arn, copied, approval, changed, reapproved, updated, visibility })
        }
        Err(error) => match error.downcast_ref::<NotAsRequested>().map(|failed| failed.hint) {
            Some(_) if new => Err(discard(registry, &promoted.arn, error).await?),
            Some(Some(hint)) => Err(error).hint(hint),
            Some(None) | None => Err(error),
        },
    }
}

/// Tokens to try. CreateModelPackage returns the version that the token created before, even if that version was
/// deleted. Then the next token is tried.
const TOKENS: usize = 4;

/// The client token of a request. The same request has the same token, so that a retry does not register a second
/// version. Each abandoned attempt changes the token. At most 36 letters, digits and hyphens (CreateModelPackage).
pub fn client_token(request: &Document, abandoned: usize) -> String {
    let text = format!("{}#{abandoned}", request_digest(request));
    sha256(&text)[..32].to_owned()
}

/// The state of a completed version.
struct Completion {
    approval: ApprovalStatus,
    updated: Option<Wanted>,
}

struct Registering<'a> {
    source: &'a SourceRegistry,
    registry: &'a TargetRegistry,
    plan: &'a Plan,
    package: &'a Package,
    policy: &'a Policy,
}

impl Registering<'_> {
    /// Creates the version. If two concurrent runs both create one, the lower version is the promotion, and the other
    /// run discards its version.
    ///
    /// Returns the promotion, the current description of the source version, and whether this run created the
    /// promotion.
    async fn create(
        &self,
        group: &GroupName,
        mut existing: ExistingPromotions,
    ) -> Result<(PromotedVersion, Document, bool)> {
        let Self { registry, package, plan, policy, .. } = self;
        let visibility = Visibility::within(policy.patience);
        let abandoned = existing.abandoned();
        for attempt in abandoned..abandoned + TOKENS {
            let mut request = plan.request.clone();
            request.insert("ClientToken".into(), client_token(&plan.request, attempt).into());
            let created = registry.create(&request).await?;
            let may_be_late = existing.is_newest(&created);
            let mut source_now;
            (existing, source_now) = self.describe_all_sides(group, existing, &created, Visibility::NONE).await?;
            // While this run waited, other runs may have registered the version, or the source may have been rejected.
            if may_be_late && !existing.contains(&created) && visibility.wait(registry, &created).await? {
                (existing, source_now) = self.describe_all_sides(group, existing, &created, visibility).await?;
            }
            match existing.current() {
                Some(first) if first.arn == created => return Ok((first.clone(), source_now, true)),
                Some(first) => {
                    return yield_to(registry, &created, first).await.map(|promoted| (promoted, source_now, false));
                }
                // The version that the token created before was deleted.
                None => {}
            }
        }
        bail!("every request to register {} in {group} returns a version that was deleted", package.arn())
    }

    /// Describes the created version, the versions that others have registered meanwhile, and the source version.
    async fn describe_all_sides(
        &self,
        group: &GroupName,
        existing: ExistingPromotions,
        created: &PackageArn,
        visibility: Visibility,
    ) -> Result<(ExistingPromotions, Document)> {
        let Self { source, registry, package, .. } = self;
        let known = existing.with_created(registry, group, package, created, visibility);
        let (known, source_now) = tokio::join!(known, source.describe(package.arn()));
        let unchecked = "is registered and pending approval; concurrent registrations could not be checked";
        let known = known.with_context(|| format!("{created} {unchecked}")).hint("Run again")?;
        let source_now = source_now.with_context(|| format!("{created} is registered and pending approval"));
        let source_now = source_now.hint("Run again")?;
        Ok((known, source_now))
    }

    /// Waits until the version is complete, compares it with the request, and sets its final status.
    async fn complete(
        &self,
        promoted: &PromotedVersion,
        source_now: Document,
        visibility: Visibility,
    ) -> Result<Completion> {
        let arn = &promoted.arn;
        let (promoted, source_now) = self.wait(promoted, source_now, visibility).await?;
        let description = &promoted.description;
        let found = differences(&self.plan.request, description);
        if !found.is_empty() {
            let lines: Vec<String> = found.iter().map(|difference| format!("  {difference}")).collect();
            let message = format!("{arn} differs from its request and was not approved:\n{}", lines.join("\n"));
            let hint = "If it is another promotion of the same source version, delete it, then run again";
            bail!(NotAsRequested { message, hint: Some(hint) });
        }
        let wanted = Wanted::of(self.package, &promoted, self.policy.approval, self.plan.source_uri.clone());
        let Some(update) = wanted.update(description) else {
            return Ok(Completion { approval: wanted.status, updated: None });
        };
        if wanted.status == ApprovalStatus::Approved && promoted.approval() != ApprovalStatus::Approved {
            self.refuse_withdrawn(&source_now, arn)?;
        }
        self.registry.update(arn, &update).await?;
        Ok(Completion { approval: wanted.status.clone(), updated: Some(wanted) })
    }

    /// Refuses to approve if the source was rejected while its artifacts were copied: this run would not withdraw the
    /// version.
    fn refuse_withdrawn(&self, source_now: &Document, arn: &PackageArn) -> Result<()> {
        let (found, now) = (self.package.approval(), ApprovalStatus::of(source_now));
        ensure!(
            found == now,
            Failure::new(format!(
                "the approval of {} changed from {found} to {now} during this run; {arn} was not approved",
                self.package.arn()
            ))
            .hint("Run again")
        );
        Ok(())
    }

    /// Describes the version and its source until the version is complete. Both were described a moment ago.
    async fn wait(
        &self,
        promoted: &PromotedVersion,
        mut source_now: Document,
        visibility: Visibility,
    ) -> Result<(PromotedVersion, Document)> {
        let arn = &promoted.arn;
        let started = tokio::time::Instant::now();
        let mut pause = FIRST_WAIT;
        let mut description = promoted.description.clone();
        loop {
            match PackageStatus::of(&description) {
                PackageStatus::Completed => return Ok((PromotedVersion { arn: arn.clone(), description }, source_now)),
                PackageStatus::Failed | PackageStatus::Deleting => {
                    let message = format!("SageMaker could not complete {arn}{}", failure_reasons(&description));
                    bail!(NotAsRequested { message, hint: None });
                }
                status @ (PackageStatus::Pending | PackageStatus::InProgress | PackageStatus::Other(_)) => ensure!(
                    started.elapsed() < self.policy.patience,
                    Failure::new(format!(
                        "{arn} is still {status} after {} s; it is pending approval",
                        self.policy.patience.as_secs()
                    ))
                    .hint("Run again to complete it")
                ),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_WAIT);
            (description, source_now) =
                tokio::try_join!(visibility.describe(self.registry, arn), self.source.describe(self.package.arn()))?;
        }
    }
}
