//! The result of the copy step: artifacts and images.

use super::outcome::{ImageDone, ImageWrite};
use crate::copy::{CopiedArtifacts, CopySummary};
use crate::plan::Plan;
use crate::plan::images::PlannedImage;

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
    plan: Plan,
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

    /// The artifacts, and the plan that was carried out.
    pub fn artifacts(&self) -> &CopiedArtifacts {
        &self.artifacts
    }

    /// Every image with its result.
    pub fn images(&self) -> impl Iterator<Item = (&PlannedImage, ImageDone)> {
        self.artifacts.plan().images.iter().zip(self.images.iter().copied())
    }
}

impl Preview {
    /// What a plan would copy. `images` has the expected result of each image of the plan.
    pub fn of(plan: Plan, images: Vec<ImageDone>, writes: Vec<ImageWrite>) -> Self {
        Self { plan, images, writes }
    }

    /// What would be written to the target's registry.
    pub fn image_writes(&self) -> &[ImageWrite] {
        &self.writes
    }

    /// The plan that would be carried out.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Every image with its expected result.
    pub fn images(&self) -> impl Iterator<Item = (&PlannedImage, ImageDone)> {
        self.plan.images.iter().zip(self.images.iter().copied())
    }
}
