//! Registers a version in the target account: one promoted version per source version, also after interrupted or
//! concurrent runs. The version is approved last.

use anyhow::Result;
use aws_smithy_types::DateTime;

use super::attempt::{FoundPromotion, Registering};
use super::completion::Completion;
use super::decision::RecordedApproval;
use super::discarded::{NotAsRequested, discard};
use super::event::RegistrationEvent;
use super::existing::ExistingPromotions;
use super::policy::RegistrationPolicy;
use super::services::{ClaimStore, Registry, SourceNow, SourceVersions};
use super::sync::Change;
use super::visibility::Visibility;
use super::wanted::Wanted;
use crate::aws::registry::TargetRegistry;
use crate::copy::Claims;
use crate::image::Copied;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::claim::{Claim, ClaimSeen};
use crate::model::destination::Destination;
use crate::model::failure::Hint;
use crate::model::field::Document;
use crate::model::package::Package;
use crate::plan::Warning;
use crate::plan::provenance::marked;

/// The result of a registration: the promoted version.
#[derive(Debug)]
pub struct Registration {
    /// The promoted version.
    pub arn: PackageArn,
    /// The version's approval.
    pub approval: RecordedApproval,
    /// When the version was registered.
    pub created: Option<DateTime>,
    /// The fields that SageMaker has added.
    pub added: Vec<Change>,
    /// Whether this run has registered or approved the version. False if an earlier run had done both.
    pub changed: bool,
    /// Whether this run has approved a withdrawn version again.
    pub reapproved: bool,
    /// Versions that were the same promotion, and what was done with them.
    pub warnings: Vec<Warning>,
    /// Versions that are the same promotion, and that could not be discarded.
    pub left: Vec<String>,
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
        let is_shown = |description: &Document| wanted.unconfirmed(description).is_none();
        match self.visibility.describe_until(registry, &self.arn, is_shown).await {
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

/// Registers versions in a group of the target account, each with a [`Registering`].
pub struct Registrar<'a> {
    /// The source's registry, and the holds of the target group.
    pub source: SourceNow<'a>,
    /// The target's registry.
    pub registry: &'a TargetRegistry,
    /// The claims of the promotion.
    pub claims: Claims<'a>,
    /// The destination of the promotion.
    pub destination: &'a Destination,
    /// How the version is registered.
    pub policy: RegistrationPolicy,
    /// When the run started.
    pub started: String,
    /// Is called with what happens.
    pub tell: &'a (dyn Fn(RegistrationEvent<'_>) + Send + Sync),
}

impl Registrar<'_> {
    /// Registers the version, or completes a registration that another run has begun. Also returns the artifacts that the
    /// version refers to.
    ///
    /// # Errors
    /// The registry rejects the request, the version fails, or it differs from the request. A version that this run has
    /// created is then deleted, or left Rejected. It is never Approved. Or another run is registering the version, and
    /// takes longer than the policy allows.
    pub async fn register(
        &self,
        package: &Package,
        copied: Copied,
        existing: ExistingPromotions,
    ) -> Result<(Registration, Copied)> {
        let (plan, policy, registry) = (copied.artifacts().plan(), &self.policy, self.registry);
        let Destination { group, caller, .. } = self.destination;
        let digest = marked(&plan.request).unwrap_or_default();
        let registering = Registering {
            source: &self.source,
            registry,
            claims: &self.claims,
            group: group.name(),
            package,
            request: &plan.request,
            source_uri: plan.source_uri.as_deref(),
            policy,
            claim: Claim {
                approval: policy.approvals.approval,
                ..Claim::new(package.arn(), group, digest, caller, &self.started)
            },
            tell: self.tell,
        };
        let registration = registering.register(existing, copied.artifacts().claim().cloned()).await?;
        Ok((registration, copied))
    }
}

impl<R: Registry, S: SourceVersions, C: ClaimStore> Registering<'_, R, S, C> {
    /// Finds or creates the promotion, completes it, and discards its duplicates.
    pub async fn register(&self, existing: ExistingPromotions, newest: Option<ClaimSeen>) -> Result<Registration> {
        let FoundPromotion { promoted, source_now, new, recorded, existing } =
            self.find_or_create(existing, newest).await?;
        // The registry is eventually consistent: Describe may not find a version that was found before.
        let visibility = if new { Visibility::within(self.policy.patience) } else { Visibility::LATE };
        match self.complete(&promoted, recorded.as_ref(), source_now, (visibility, new)).await {
            Ok(Completion { approval, added, updated, warning }) => {
                (self.tell)(RegistrationEvent::Completed { promoted: &promoted.arn, approval: &approval.status });
                let discarded = self.discard_duplicates(&promoted.arn, &approval.status, &existing).await;
                // The version is complete, and has to be recorded.
                let (mut warnings, left) = discarded.unwrap_or_else(|error| {
                    (Vec::new(), vec![format!("versions of the same request could not be checked: {error:#}")])
                });
                warnings.extend(warning);
                let reapproved = promoted.is_withdrawn() && approval.status != promoted.approval();
                let changed = new || updated.is_some();
                Ok(Registration {
                    created: promoted.created(),
                    arn: promoted.arn,
                    approval,
                    added,
                    changed,
                    reapproved,
                    updated,
                    visibility,
                    warnings,
                    left,
                })
            }
            Err(error) => match error.downcast_ref::<NotAsRequested>().map(|failed| (failed.hint, failed.is_unused)) {
                Some((hint, true)) if new => Err(discard(self.registry, &promoted.arn, error).await?).hint(hint),
                Some((hint, _)) => Err(error).hint(hint),
                None => Err(error),
            },
        }
    }
}
