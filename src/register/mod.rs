//! Registers a package in the target: a plan and its copies come in, a registration comes out. One target version per
//! source version, whatever was interrupted before or runs at the same time; approved last.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::aws::registry::{SourceRegistry, TargetRegistry};
use crate::copy::Copied;
use crate::model::approval::Approval;
use crate::model::arn::{GroupName, PackageArn};
use crate::model::field::Document;
use crate::model::package::{Package, digest, failure_reasons, sha256};
use crate::plan::Plan;
use crate::register::earlier::{Earlier, Own};
use crate::schema::comparison::differences;

mod decision;
mod discarded;
pub mod earlier;
pub mod sync;
pub mod withdrawal;

pub use decision::decision;
pub(crate) use decision::remark;
pub(crate) use discarded::DISCARDED;

use decision::{Wanted, approval};
use discarded::{NotAsRequested, discard, yield_to};

/// Between two looks at a package that is not complete yet: at first, and at most.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A target group that does not exist yet.
#[derive(Debug, Clone, Default)]
pub struct NewGroup {
    /// As the source group has it.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

impl NewGroup {
    /// The source group's tags, those that only AWS may set left out; the asked-for tags win.
    pub fn of(description: Option<String>, source: Vec<(String, String)>, asked: &[(String, String)]) -> Self {
        let is_asked = |key: &str| asked.iter().any(|(other, _)| other == key);
        let inherited = source.into_iter().filter(|(key, _)| !key.starts_with("aws:") && !is_asked(key));
        let tags = inherited.chain(asked.iter().cloned()).collect();
        Self { description: description.filter(|text| !text.is_empty()), tags }
    }
}

/// How packages are registered.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The status at the end.
    pub approval: Approval,
    /// How long a package may take to become complete.
    pub patience: Duration,
}

/// A package version of the target that has the content of the source version.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The target version.
    pub arn: PackageArn,
    /// Its approval status now.
    pub approval: String,
    /// Whether this run has registered or approved it; otherwise an earlier one had done everything.
    pub changed: bool,
    /// Whether this run has approved again what was withdrawn.
    pub reapproved: bool,
    /// What the last Update has set, to be read back.
    updated: Option<Wanted>,
}

/// What was found when a package was read back after its last Update.
#[derive(Debug, Clone, Default)]
pub struct ReadBack {
    /// Its approval status; nothing when it could not be read, or when nothing had been changed.
    pub approval: Option<String>,
    /// What is not as it was set, or not known.
    pub doubt: Option<String>,
}

impl Registration {
    /// Reads the package back after its last Update.
    pub async fn read_back(&self, registry: &TargetRegistry) -> ReadBack {
        let Some(wanted) = &self.updated else { return ReadBack::default() };
        match registry.describe(&self.arn).await {
            Ok(description) => {
                ReadBack { approval: Some(approval(&description).to_owned()), doubt: wanted.doubt(&description) }
            }
            Err(error) => {
                let doubt = format!("its final state could not be read back: {error}");
                ReadBack { approval: None, doubt: Some(doubt) }
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
    copied: &Copied,
    earlier: Earlier,
    policy: &Policy,
) -> Result<Registration> {
    let registering = Registering { source, registry, plan: copied.plan(), package, policy };
    let (own, source_now, new) = match earlier.usable().cloned() {
        Some(own) => (own, source.describe(package.arn()).await?, false),
        None => registering.create(group, earlier).await?,
    };
    match registering.complete(&own, source_now).await {
        Ok(Completion { approval, updated }) => {
            let reapproved = own.is_withdrawn() && approval != own.approval();
            Ok(Registration { arn: own.arn, approval, changed: new || updated.is_some(), reapproved, updated })
        }
        Err(error) if new && error.downcast_ref::<NotAsRequested>().is_some() => {
            Err(discard(registry, &own.arn, error).await)
        }
        Err(error) => Err(error),
    }
}

/// A token answers with what it made before, even when that was removed since; then the next token is tried.
const TOKENS: usize = 4;

/// The same request has the same token, so that a retry does not register twice; what was given up before makes
/// another one. At most 36 letters, digits and hyphens (CreateModelPackage).
pub fn client_token(request: &Document, given_up: usize) -> String {
    let text = format!("{}#{given_up}", digest(request));
    sha256(&text)[..32].to_owned()
}

/// How a package was completed.
struct Completion {
    approval: String,
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
    async fn create(&self, group: &GroupName, mut earlier: Earlier) -> Result<(Own, Document, bool)> {
        let Self { source, registry, package, plan, .. } = self;
        let given_up = earlier.given_up();
        for attempt in given_up..given_up + TOKENS {
            let mut request = plan.request.clone();
            request.insert("ClientToken".into(), client_token(&plan.request, attempt).into());
            let created = registry.create(&request).await?;
            let (known, source_now) =
                tokio::join!(earlier.and_created(registry, group, package, &created), source.describe(package.arn()));
            let unknown = "is registered, pending approval; whether another run did the same is unknown, run again";
            earlier = known.with_context(|| format!("{created} {unknown}"))?;
            let source_now =
                source_now.with_context(|| format!("{created} is registered, pending approval; run again"))?;
            match earlier.usable() {
                Some(first) if first.arn == created => return Ok((first.clone(), source_now, true)),
                Some(first) => return yield_to(registry, &created, first).await.map(|own| (own, source_now, false)),
                // The token's answer was removed since.
                None => {}
            }
        }
        bail!("{group} answers every request to register {} with a version that was removed", package.arn())
    }

    /// Waits for the package, compares it, and gives it its final status.
    async fn complete(&self, own: &Own, source_now: Document) -> Result<Completion> {
        let arn = &own.arn;
        let (own, source_now) = self.wait(own, source_now).await?;
        let description = &own.description;
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
        let wanted = Wanted::of(self, &own);
        let Some(update) = wanted.update(description) else {
            return Ok(Completion { approval: wanted.status, updated: None });
        };
        if wanted.status == "Approved" && own.approval() != "Approved" {
            self.refuse_withdrawn(&source_now, arn)?;
        }
        self.registry.update(arn, &update).await?;
        Ok(Completion { approval: wanted.status.clone(), updated: Some(wanted) })
    }

    /// Copying takes its time, and what was rejected meanwhile must not become Approved: nobody would withdraw it.
    fn refuse_withdrawn(&self, source_now: &Document, arn: &PackageArn) -> Result<()> {
        let (found, now) = (self.package.approval(), approval(source_now));
        ensure!(
            found == now,
            "{} was {found} when it was found, and is {now} now; {arn} stays as it is. Run again",
            self.package.arn()
        );
        Ok(())
    }

    /// Looks again until the package is complete; it was described a moment ago, and so was its source.
    async fn wait(&self, own: &Own, mut source_now: Document) -> Result<(Own, Document)> {
        let arn = &own.arn;
        let started = tokio::time::Instant::now();
        let mut pause = FIRST_WAIT;
        let mut description = own.description.clone();
        loop {
            match description.get("ModelPackageStatus").and_then(Value::as_str).unwrap_or_default() {
                "Completed" => return Ok((Own { arn: arn.clone(), description }, source_now)),
                "Failed" | "Deleting" => {
                    let text = format!("SageMaker could not complete {arn}{}", failure_reasons(&description));
                    bail!(NotAsRequested(text));
                }
                status => ensure!(
                    started.elapsed() < self.policy.patience,
                    "{arn} is still {status} after {} s; it is pending approval. Run again to complete it",
                    self.policy.patience.as_secs()
                ),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_WAIT);
            (description, source_now) =
                tokio::try_join!(self.registry.describe(arn), self.source.describe(self.package.arn()))?;
        }
    }
}
