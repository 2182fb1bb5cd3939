//! The artifacts of the copy step. [`copy`] and [`confirm`] return [`CopiedArtifacts`]. A version can be registered when
//! its images are copied too.

use anyhow::Result;
use futures_util::{FutureExt, StreamExt, stream};

use super::engine::Engine;
use super::outcome::Done;
use super::run::Run;
use super::there::{There, open_uploads};
use super::unexpected::warning;
use super::uploads::stays_open;
use crate::aws::error::Kind;
use crate::model::claim::ClaimSeen;
use crate::model::location::Location;
use crate::plan::artifact::Artifact;
use crate::plan::{Plan, Warning};
use crate::store::List;

/// The number of concurrent aborts.
const ABORTS_AT_ONCE: usize = 32;

/// A plan whose artifacts are all at the target and verified.
#[derive(Debug)]
pub struct CopiedArtifacts {
    plan: Plan,
    warnings: Vec<Warning>,
    claim: Option<ClaimSeen>,
    others: List<Location>,
}

impl CopiedArtifacts {
    /// The plan that was carried out.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Failures that do not affect the copy.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The newest claim that was there before the copy.
    pub fn claim(&self) -> Option<&ClaimSeen> {
        self.claim.as_ref()
    }

    /// The objects of the folder that are not part of the promotion.
    pub fn others(&self) -> &List<Location> {
        &self.others
    }
}

/// Every artifact of a plan with its result, or with the one that is expected.
pub fn results(plan: &Plan) -> impl Iterator<Item = Result<(Artifact, Done)>> + Send + '_ {
    plan.artifacts.results::<Done>().map(|item| {
        let (artifact, done) = item?;
        Ok((artifact, done.unwrap_or_else(Done::planned)))
    })
}

/// Compares the objects at the target with the plan, without copying. Returns the plan with the expected results.
///
/// # Errors
/// An object at the target differs from its artifact, or a prefix has objects that the source does not have.
pub async fn preview(plan: Plan, there: There, engine: &Engine<'_>) -> Result<Plan> {
    there.refuse_unexpected(&plan)?;
    Run::new(engine, &plan.layout, there).compare_all(&plan.artifacts).await?;
    Ok(plan)
}

/// Confirms that every artifact is at the target already.
///
/// # Errors
/// Artifacts are missing at the target, an object there differs from its artifact, or a prefix has objects that the
/// source does not have.
pub async fn confirm(plan: Plan, there: There, engine: &Engine<'_>) -> Result<CopiedArtifacts> {
    there.refuse_missing(&plan)?;
    let others = there.refuse_unexpected(&plan)?;
    let claim = there.claim().cloned();
    Run::new(engine, &plan.layout, there).compare_all(&plan.artifacts).await?;
    let warnings = warning(&others, &plan)?.into_iter().collect();
    Ok(CopiedArtifacts { plan, warnings, claim, others })
}

/// Copies every artifact of the plan to the target and verifies it.
///
/// # Errors
/// An artifact cannot be copied, or a prefix at the target has objects that the source does not have. Concurrent copies
/// are stopped. A later run reuses complete objects, and complete parts of unfinished uploads.
pub async fn copy(plan: Plan, there: There, engine: &Engine<'_>) -> Result<CopiedArtifacts> {
    let others = there.refuse_unexpected(&plan)?;
    let (before, states) = there.leftovers();
    let claim = there.claim().cloned();
    if let Err(error) = Run::new(engine, &plan.layout, there).copy_all(&plan.artifacts).await {
        return Err(engine.uploads.leave(error).await);
    }
    let stale = match engine.uploads.may_be_more() {
        true => open_uploads(engine.target, &plan.layout.folder()).await.unwrap_or(before),
        false => before,
    };
    // All objects are complete, so nothing needs the uploads of earlier runs. A concurrent run whose upload is aborted
    // finds the complete object.
    let aborts = stale.into_iter().map(|(location, id)| {
        let abort = async move {
            if let Err(error) = engine.target.abort(&location, &id).await {
                engine.uploads.warn(match error.kind {
                    Kind::Denied => format!("{} ({})", stays_open(&error), error.hint),
                    _ => stays_open(&error),
                });
            }
        };
        abort.boxed()
    });
    stream::iter(aborts).buffer_unordered(ABORTS_AT_ONCE).collect::<()>().await;
    states.into_iter().for_each(|state| engine.uploads.discard_state(engine.target.clone(), state));
    let mut warnings = warnings(&plan, engine.uploads.take_warnings());
    warnings.extend(warning(&others, &plan)?);
    Ok(CopiedArtifacts { plan, warnings, claim, others })
}

/// One warning of each kind. A missing permission would cause the same warning for every object.
fn warnings(plan: &Plan, mut texts: Vec<String>) -> Vec<Warning> {
    let kind = |text: &String| text.split(':').next().unwrap_or_default().to_owned();
    texts.sort();
    texts.dedup_by_key(|text| kind(text));
    let field = plan.layout.folder().to_string();
    texts.into_iter().map(|remark| Warning { field: field.clone(), remark }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_futures_may_move_between_threads() {
        fn send<F: Future + Send>(_: impl Fn(Plan, There, &'static Engine<'static>) -> F) {}
        send(preview);
        send(confirm);
        send(copy);
    }
}
