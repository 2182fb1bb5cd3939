//! The result of the copy step: artifacts and images.

use anyhow::Result;

use super::outcome::{ImageDone, ImageWrite};
use crate::copy::{CopiedArtifacts, CopySummary, Done, PreviewedArtifacts};
use crate::model::claim::ClaimSeen;
use crate::model::location::Location;
use crate::plan::artifact::Artifact;
use crate::plan::images::PlannedImage;
use crate::plan::{Plan, Warning};
use crate::store::List;

/// A plan whose artifacts and images are all at the target and verified.
#[derive(Debug)]
pub struct Copied {
    artifacts: CopiedArtifacts,
    images: Vec<ImageDone>,
    summary: Option<CopySummary>,
}

/// A plan whose artifacts and images are compared with the target, but not copied.
#[derive(Debug)]
pub struct Preview {
    artifacts: PreviewedArtifacts,
    images: Vec<ImageDone>,
    writes: Vec<ImageWrite>,
}

impl Copied {
    /// Everything that a plan copies. `images` has the result of each image of the plan.
    pub fn of(artifacts: CopiedArtifacts, images: Vec<ImageDone>) -> Self {
        Self { artifacts, images, summary: None }
    }

    /// Adds what this run has copied.
    pub fn with_summary(self, summary: Option<CopySummary>) -> Self {
        Self { summary, ..self }
    }

    /// What this run has copied; nothing if all of it was there.
    pub fn summary(&self) -> Option<&CopySummary> {
        self.summary.as_ref()
    }

    /// The plan that was carried out.
    pub fn plan(&self) -> &Plan {
        self.artifacts.plan()
    }

    /// Failures that do not affect the copy.
    pub fn warnings(&self) -> &[Warning] {
        self.artifacts.warnings()
    }

    /// The newest claim that was there before the copy.
    pub fn claim(&self) -> Option<&ClaimSeen> {
        self.artifacts.claim()
    }

    /// The objects of the folder that are not part of the promotion.
    pub fn others(&self) -> &List<Location> {
        self.artifacts.others()
    }

    /// Every artifact with its result.
    pub fn artifacts(&self) -> impl Iterator<Item = Result<(Artifact, Done)>> + Send + '_ {
        self.artifacts.artifacts()
    }

    /// Every image with its result.
    pub fn images(&self) -> impl Iterator<Item = (&PlannedImage, ImageDone)> {
        self.plan().images.iter().zip(self.images.iter().copied())
    }
}

impl Preview {
    /// What a plan would copy. `images` has the expected result of each image of the plan.
    pub fn of(artifacts: PreviewedArtifacts, images: Vec<ImageDone>, writes: Vec<ImageWrite>) -> Self {
        Self { artifacts, images, writes }
    }

    /// What would be written to the target's registry.
    pub fn image_writes(&self) -> &[ImageWrite] {
        &self.writes
    }

    /// The plan that would be carried out.
    pub fn plan(&self) -> &Plan {
        self.artifacts.plan()
    }

    /// Every artifact with its expected result.
    pub fn artifacts(&self) -> impl Iterator<Item = Result<(Artifact, Done)>> + Send + '_ {
        self.artifacts.artifacts()
    }

    /// Every image with its expected result.
    pub fn images(&self) -> impl Iterator<Item = (&PlannedImage, ImageDone)> {
        self.plan().images.iter().zip(self.images.iter().copied())
    }
}
