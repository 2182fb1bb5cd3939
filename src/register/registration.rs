//! Registers a package in the target: one promoted version per source version, whatever was interrupted before or runs at
//! the same time. Approved last.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::aws::registry::{SourceRegistry, TargetRegistry};
use crate::copy::Copied;
use crate::model::approval::{Approval, ApprovalStatus};
use crate::model::arn::{GroupName, PackageArn};
use crate::model::field::Document;
use crate::model::package::{Package, digest, failure_reasons, sha256};
use crate::model::package_status::PackageStatus;
use crate::model::promoted::PromotedVersion;
use crate::plan::Plan;
use crate::register::decision::Wanted;
use crate::register::discarded::{NotAsRequested, discard, yield_to};
use crate::register::existing::ExistingPromotions;
use crate::register::visibility::{FIRST_WAIT, LONGEST_WAIT, Visibility};
use crate::schema::comparison::differences;

/// How packages are registered.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The status at the end.
    pub approval: Approval,
    /// How long a package may take to become complete.
    pub patience: Duration,
}

/// A package version of the target that has the content of the source version.
#[derive(Debug)]
pub struct Registration {
    /// The target version.
    pub arn: PackageArn,
    /// The artifacts that it refers to.
    pub copied: Copied,
    /// Its approval status now.
    pub approval: ApprovalStatus,
    /// Whether this run has registered or approved it; otherwise an earlier one had done everything.
    pub changed: bool,
    /// Whether this run has approved again what was withdrawn.
    pub reapproved: bool,
    /// What the last Update has set, to be read back.
    updated: Option<Wanted>,
    /// How long Describe may miss it.
    visibility: Visibility,
}

/// What was found when a package was read back after its last Update.
#[derive(Debug, Clone, Default)]
pub struct ReadBack {
    /// Its approval status; nothing when it could not be read, or when nothing had been changed.
    pub approval: Option<ApprovalStatus>,
    /// What is not as it was set, or could not be read.
    pub unconfirmed: Option<String>,
}

impl Registration {
    /// Reads the package back after its last Update.
    pub async fn read_back(&self, registry: &TargetRegistry) -> ReadBack {
        let Some(wanted) = &self.updated else { return ReadBack::default() };
        match self.visibility.describe(registry, &self.arn).await {
            Ok(description) => ReadBack {
                approval: Some(ApprovalStatus::of(&description)),
                unconfirmed: wanted.unconfirmed(&description),
            },
            Err(error) => {
                let unconfirmed = format!("its final state could not be read back: {error}");
                ReadBack { approval: None, unconfirmed: Some(unconfirmed) }
            }
        }
    }
}

/// Registers the package, or completes what an earlier run has begun.
///
/// # Errors
/// The registry refuses, the package fails or is not what was asked for. What this run has created is removed then,
/// or left Rejected; it is never Approved.
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
    // A replica of the registry may miss a new version that another one has shown.
    let visibility = if new { Visibility::within(policy.patience) } else { Visibility::NONE };
    match registering.complete(&promoted, source_now, visibility).await {
        Ok(Completion { approval, updated }) => {
            let reapproved = promoted.is_withdrawn() && approval != promoted.approval();
            let changed = new || updated.is_some();
            Ok(Registration { arn: promoted.arn, copied, approval, changed, reapproved, updated, visibility })
        }
        Err(error) if new && error.downcast_ref::<NotAsRequested>().is_some() => {
            Err(discard(registry, &promoted.arn, error).await)
        }
        Err(error) => Err(error),
    }
}

/// A token answers with what it made before, even when that was removed since; then the next token is tried.
const TOKENS: usize = 4;

/// The same request has the same token, so that a retry does not register twice; an abandoned attempt makes another
/// one. At most 36 letters, digits and hyphens (CreateModelPackage).
pub fn client_token(request: &Document, abandoned: usize) -> String {
    let text = format!("{}#{abandoned}", digest(request));
    sha256(&text)[..32].to_owned()
}

/// How a package was completed.
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
    /// Creates the package. Two runs at once both create one where the registry does not know the token; then the lower
    /// version is the promotion, and the other is withdrawn by the run that made it.
    ///
    /// Answers also how the source's version is described by then.
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
            (existing, source_now) = self.look_again(group, existing, &created, Visibility::NONE).await?;
            // Meanwhile versions of other runs may have become visible, and the source may have been rejected.
            if may_be_late && !existing.contains(&created) && visibility.wait(registry, &created).await? {
                (existing, source_now) = self.look_again(group, existing, &created, visibility).await?;
            }
            match existing.current() {
                Some(first) if first.arn == created => return Ok((first.clone(), source_now, true)),
                Some(first) => {
                    return yield_to(registry, &created, first).await.map(|promoted| (promoted, source_now, false));
                }
                // The token's answer was removed since.
                None => {}
            }
        }
        bail!("{group} answers every request to register {} with a version that was removed", package.arn())
    }

    /// Describes what was created, what others have registered meanwhile, and the source's version as it is now.
    async fn look_again(
        &self,
        group: &GroupName,
        existing: ExistingPromotions,
        created: &PackageArn,
        visibility: Visibility,
    ) -> Result<(ExistingPromotions, Document)> {
        let Self { source, registry, package, .. } = self;
        let known = existing.and_created(registry, group, package, created, visibility);
        let (known, source_now) = tokio::join!(known, source.describe(package.arn()));
        let unknown = "is registered, pending approval; whether another run did the same is unknown, run again";
        let known = known.with_context(|| format!("{created} {unknown}"))?;
        let source_now = source_now.with_context(|| format!("{created} is registered, pending approval; run again"))?;
        Ok((known, source_now))
    }

    /// Waits for the package, compares it, and gives it its final status.
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
            let text = format!(
                "{arn} is not what was asked for:\n{}\nIt was not approved. If it is another promotion of the same \
                 version, remove it and run again",
                lines.join("\n")
            );
            bail!(NotAsRequested(text));
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

    /// Copying takes its time, and what was rejected meanwhile must not become Approved: nobody would withdraw it.
    fn refuse_withdrawn(&self, source_now: &Document, arn: &PackageArn) -> Result<()> {
        let (found, now) = (self.package.approval(), ApprovalStatus::of(source_now));
        ensure!(
            found == now,
            "{} was {found} when it was found, and is {now} now; {arn} stays as it is. Run again",
            self.package.arn()
        );
        Ok(())
    }

    /// Looks again until the package is complete; it was described a moment ago, and so was its source.
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
                    let text = format!("SageMaker could not complete {arn}{}", failure_reasons(&description));
                    bail!(NotAsRequested(text));
                }
                status @ (PackageStatus::Pending | PackageStatus::InProgress | PackageStatus::Other(_)) => ensure!(
                    started.elapsed() < self.policy.patience,
                    "{arn} is still {status} after {} s; it is pending approval. Run again to complete it",
                    self.policy.patience.as_secs()
                ),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_WAIT);
            (description, source_now) =
                tokio::try_join!(visibility.describe(self.registry, arn), self.source.describe(self.package.arn()))?;
        }
    }
}
