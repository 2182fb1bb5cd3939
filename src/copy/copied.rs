//! The copy step. [`copy`] and [`confirm`] end with [`Copied`], a dry run with [`Preview`]: only the first can be
//! registered.

use anyhow::Result;
use futures_util::{FutureExt, StreamExt, stream};

use super::engine::Engine;
use super::outcome::Done;
use super::run::Run;
use super::there::{There, open_uploads};
use crate::plan::artifact::Artifact;
use crate::plan::{Plan, Warning};

/// Aborts under way at once.
const ABORTS_AT_ONCE: usize = 32;

/// A plan of which every artifact is at the target and verified.
#[derive(Debug)]
pub struct Copied {
    plan: Plan,
    warnings: Vec<Warning>,
}

/// A plan, with what is at the target already and what would be copied.
#[derive(Debug)]
pub struct Preview {
    plan: Plan,
}

impl Copied {
    /// The plan that was carried out.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What failed and does no harm to the copy.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Every artifact with what became of it.
    pub fn artifacts(&self) -> impl Iterator<Item = Result<(Artifact, Done)>> + Send + '_ {
        done(&self.plan)
    }
}

impl Preview {
    /// The plan that would be carried out.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Every artifact with what would become of it.
    pub fn artifacts(&self) -> impl Iterator<Item = Result<(Artifact, Done)>> + Send + '_ {
        done(&self.plan)
    }
}

fn done(plan: &Plan) -> impl Iterator<Item = Result<(Artifact, Done)>> + Send + '_ {
    plan.artifacts.results::<Done>().map(|item| {
        let (artifact, done) = item?;
        Ok((artifact, done.unwrap_or_else(Done::planned)))
    })
}

/// Says what is at the target already, and what would be copied.
///
/// # Errors
/// The first object at the target that is not the artifact.
pub async fn preview(plan: Plan, there: There, engine: &Engine<'_>) -> Result<Preview> {
    Run::new(engine, &plan.layout, there).compare_all(&plan.artifacts).await?;
    Ok(Preview { plan })
}

/// Confirms that every artifact is at the target already.
///
/// # Errors
/// Names the artifacts that are not, or the first that is another object.
pub async fn confirm(plan: Plan, there: There, engine: &Engine<'_>) -> Result<Copied> {
    there.refuse_missing(&plan)?;
    Run::new(engine, &plan.layout, there).compare_all(&plan.artifacts).await?;
    Ok(Copied { plan, warnings: Vec::new() })
}

/// Brings every artifact of the plan to the target.
///
/// # Errors
/// The first artifact that cannot be copied, by its fields; the others under way are given up, and a later run finds
/// what is complete: whole objects, and parts of unfinished ones.
pub async fn copy(plan: Plan, there: There, engine: &Engine<'_>) -> Result<Copied> {
    let (before, states) = there.leftovers();
    if let Err(error) = Run::new(engine, &plan.layout, there).copy_all(&plan.artifacts).await {
        return Err(engine.uploads.leave(error).await);
    }
    let stale = match engine.uploads.may_be_more() {
        true => open_uploads(engine.target, &plan.layout.folder()).await.unwrap_or(before),
        false => before,
    };
    // Every object is complete by now, so an upload from before is of no use to anybody: a run at the same time finds
    // the object when its upload is gone.
    let aborts = stale.into_iter().map(|(location, id)| {
        let abort = async move {
            if let Err(error) = engine.target.abort(&location, &id).await {
                engine.uploads.warn(format!("an upload stays open until a later run: {error}"));
            }
        };
        abort.boxed()
    });
    stream::iter(aborts).buffer_unordered(ABORTS_AT_ONCE).collect::<()>().await;
    states.into_iter().for_each(|state| engine.uploads.discard_state(engine.target.clone(), state));
    let warnings = warnings(&plan, engine.uploads.take_warnings());
    Ok(Copied { plan, warnings })
}

/// One warning of each kind: with the same permission missing, every object would have the same one.
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
