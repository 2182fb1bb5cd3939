//! Describes a version that was just created, although the registry may not show it yet.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::services::Registry;
use crate::aws::error::{CallError, Kind};
use crate::aws::registry::TargetRegistry;
use crate::model::arn::PackageArn;
use crate::model::claim;
use crate::model::failure::{Failure, Hint, RUN_AGAIN};
use crate::model::field::Document;

/// The first and the longest pause between two descriptions of a version that is not complete or not visible yet.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(250);
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A version that Describe does not find for this long was deleted. Without this limit, a version that was deleted while
/// it was the newest of its group could never be registered again: its client token always returns its ARN, and no
/// higher version shows that it is old. Not measured at SageMaker: six times the 5 s that a promotion has to tolerate.
const GONE_AFTER: Duration = Duration::from_secs(30);

/// Describes a version after an Update, for up to 5 s until `is_shown`: the registry may show it as it was before.
///
/// # Errors
/// The version cannot be described.
pub async fn describe_updated(
    registry: &TargetRegistry,
    version: &PackageArn,
    is_shown: impl Fn(&Document) -> bool,
) -> Result<Document, CallError> {
    Visibility::NONE.describe_until(registry, version, is_shown).await
}

/// How long Describe may miss a version that this run has registered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visibility {
    patience: Duration,
}

impl Visibility {
    /// For a version that was visible before: if Describe does not find it, it was deleted.
    pub const NONE: Self = Self { patience: Duration::ZERO };

    /// For a version that was visible before, where a mistake would register it again.
    pub const LATE: Self = Self { patience: claim::VISIBLE_WITHIN };

    /// For a run that waits up to `patience` for a version.
    pub fn within(patience: Duration) -> Self {
        Self { patience }
    }

    /// Waits until Describe finds the version. Returns false if the version was deleted. Before each pause, `tell` gets the
    /// time so far.
    ///
    /// # Errors
    /// The wait ended before it is known whether the version is late or was deleted.
    pub async fn wait(
        self,
        registry: &impl Registry,
        created: &PackageArn,
        tell: impl Fn(Duration) + Sync,
    ) -> Result<bool> {
        let found = absent_is_none(self.describe_and_tell(registry, created, tell).await);
        let found = found.with_context(|| format!("{created} is registered and pending approval")).hint(RUN_AGAIN)?;
        ensure!(
            found.is_some() || self.patience >= GONE_AFTER,
            Failure::new(format!(
                "{created} is registered and pending approval, but not visible after {} s",
                self.patience.as_secs()
            ))
            .hint(RUN_AGAIN)
        );
        Ok(found.is_some())
    }

    /// Describes the version; nothing if it does not exist.
    pub async fn find(self, registry: &impl Registry, version: &PackageArn) -> Result<Option<Document>, CallError> {
        absent_is_none(self.describe(registry, version).await)
    }

    /// Describes the version. Retries while Describe answers that the version does not exist.
    pub async fn describe(self, registry: &impl Registry, version: &PackageArn) -> Result<Document, CallError> {
        self.describe_and_tell(registry, version, |_| {}).await
    }

    async fn describe_and_tell(
        self,
        registry: &impl Registry,
        version: &PackageArn,
        tell: impl Fn(Duration) + Sync,
    ) -> Result<Document, CallError> {
        let began = registry.now();
        let until = began + self.patience.min(GONE_AFTER);
        let mut pause = FIRST_WAIT;
        loop {
            match registry.describe(version).await {
                Err(error) if error.kind == Kind::NotFound && registry.now() < until => {}
                described => return described,
            }
            tell(registry.now() - began);
            registry.sleep(pause.min(until.saturating_duration_since(registry.now()))).await;
            pause = (pause * 2).min(LONGEST_WAIT);
        }
    }

    /// Describes the version after an Update. Retries while Describe shows the version as it was before: `is_shown` is
    /// false.
    pub async fn describe_until(
        self,
        registry: &impl Registry,
        version: &PackageArn,
        is_shown: impl Fn(&Document) -> bool,
    ) -> Result<Document, CallError> {
        let until = registry.now() + claim::VISIBLE_WITHIN;
        let mut pause = FIRST_WAIT;
        loop {
            let description = self.describe(registry, version).await?;
            if is_shown(&description) || registry.now() >= until {
                return Ok(description);
            }
            registry.sleep(pause.min(until.saturating_duration_since(registry.now()))).await;
            pause = (pause * 2).min(LONGEST_WAIT);
        }
    }
}

fn absent_is_none(described: Result<Document, CallError>) -> Result<Option<Document>, CallError> {
    match described {
        Ok(description) => Ok(Some(description)),
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
