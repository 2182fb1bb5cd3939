//! Copies, confirms or previews the images of a plan.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use futures_util::future::try_join_all;

use super::engine::{Copying, ImageEngine};
use super::outcome::{ImageDone, ImageOutcome, ImageWrite};
use super::repository::RepositoryState;
use crate::model::failure::Failure;
use crate::model::image::Repository;
use crate::plan::images::{Disposition, PlannedImage};

/// The images that are copied, by the repository that they are copied to. Each is listed once.
fn by_repository(images: &[PlannedImage]) -> BTreeMap<&Repository, Vec<Copying>> {
    let mut all: BTreeMap<&Repository, Vec<Copying>> = BTreeMap::new();
    for image in images {
        let Disposition::Copy { source, target, content, referrers } = &image.disposition else { continue };
        let images = all.entry(&target.repository).or_default();
        let referrers = referrers.contents.iter().map(|content| (content, false));
        for (content, tagged) in [(content, true)].into_iter().chain(referrers) {
            match images.iter_mut().find(|known| known.content.digest() == content.digest()) {
                Some(known) => known.tagged |= tagged,
                None => images.push(Copying { source: source.clone(), content: content.clone(), tagged }),
            }
        }
    }
    all
}

/// The images of a plan, compared with what the target has.
pub struct Prepared<'a> {
    images: &'a [PlannedImage],
    engine: &'a ImageEngine<'a>,
    states: Vec<RepositoryState<'a>>,
}

/// Looks up the images at the target, without copying.
///
/// # Errors
/// The target cannot be read, a tag of promote's belongs to another image, or a repository does not exist and is not
/// created.
pub async fn prepare<'a>(images: &'a [PlannedImage], engine: &'a ImageEngine<'a>) -> Result<Prepared<'a>> {
    let repositories = by_repository(images);
    let looks = repositories.into_iter().map(|(repository, images)| RepositoryState::look(engine, repository, images));
    let states = try_join_all(looks).await?;
    if let Some(state) = states.iter().find(|state| !engine.create_repository && !state.exists()) {
        state.refuse_absent()?;
    }
    Ok(Prepared { images, engine, states })
}

impl Prepared<'_> {
    /// Copies the images that the target does not have. Returns the result of each.
    ///
    /// # Errors
    /// An image cannot be read, written or verified. Complete layers stay for a later run.
    pub async fn copy(self) -> Result<Vec<ImageDone>> {
        try_join_all(self.states.iter().map(|state| state.copy(self.engine))).await?;
        let copied = |done: ImageDone| match done.outcome {
            ImageOutcome::Planned => ImageDone { outcome: ImageOutcome::Copied, ..done },
            _ => done,
        };
        Ok(self.results().map(copied).collect())
    }

    /// What [`Prepared::copy`] would do with each image, in the order of the plan.
    pub fn results(&self) -> impl Iterator<Item = ImageDone> + '_ {
        self.images.iter().map(|image| match &image.disposition {
            Disposition::Provided { target, .. } if target.to_string() != image.source => {
                ImageDone::nothing_missing(ImageOutcome::ReRegioned)
            }
            Disposition::Kept(_) | Disposition::Own { .. } | Disposition::Provided { .. } => {
                ImageDone::nothing_missing(ImageOutcome::Kept)
            }
            Disposition::Copy { target, content, .. } => {
                let state = self.states.iter().find(|state| *state.repository() == target.repository);
                state.expect("each repository was looked up").planned(content)
            }
        })
    }

    /// What [`Prepared::copy`] would write.
    pub fn writes(&self) -> Vec<ImageWrite> {
        self.states.iter().flat_map(RepositoryState::writes).collect()
    }

    /// The number of images that are copied, and the size of their layers in bytes.
    pub fn missing(&self) -> (u64, u64) {
        let counts = self.states.iter().map(RepositoryState::missing);
        counts.fold((0, 0), |(images, bytes), (more, size)| (images + more, bytes + size))
    }
}

/// Confirms that every image is at the target already.
///
/// # Errors
/// An image is not there.
pub async fn confirm(images: &[PlannedImage], engine: &ImageEngine<'_>) -> Result<Vec<ImageDone>> {
    let done: Vec<ImageDone> = prepare(images, engine).await?.results().collect();
    let mut absent = images.iter().zip(&done).filter(|(_, done)| done.outcome == ImageOutcome::Planned);
    if let Some((image, _)) = absent.next() {
        let message = format!("the image {} is not at the target", image.target());
        bail!(Failure::new(message).hint("Run `promote copy-artifacts --images copy` first"));
    }
    Ok(done)
}
