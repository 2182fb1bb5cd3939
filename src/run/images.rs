//! Decides by the images of a promoted version what a run copies again.

pub(super) mod seen;
pub(super) mod there;

use anyhow::{Result, ensure};

use super::promotion::Promotion;
use super::sync::purpose::Purpose;
use crate::aws::error::Kind;
use crate::model::failure::Failure;
use crate::model::image::EcrImage;
use crate::plan::Plan;
use crate::plan::images::PlannedImage;
use crate::record::ImageFacts;
use there::{ImagesThere, look, of_target};

impl Promotion<'_> {
    /// Which of the recorded images the target has. Nothing if the target denies the call and the purpose does not need the
    /// answer.
    ///
    /// # Errors
    /// The target cannot be read.
    pub(super) async fn images_there(&self, recorded: &[ImageFacts], purpose: Purpose) -> Result<Option<ImagesThere>> {
        let target = self.target.images();
        let there = match purpose {
            Purpose::Report if self.context.saves_calls => self.context.images_seen.look(target, recorded).await,
            _ => look(target, recorded).await,
        };
        match there {
            Ok(there) => Ok(Some(there)),
            Err(error) if error.kind == Kind::Denied && purpose == Purpose::Report => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Leaves the images of a plan that were promoted before, so that nothing else is copied.
///
/// # Errors
/// The source does not have a missing image any more, or images are not copied.
pub(super) fn only_recorded(plan: &mut Plan, recorded: &[ImageFacts], missing: &[EcrImage]) -> Result<()> {
    plan.images.retain(|image| recorded.iter().any(|recorded| recorded.target == image.target()));
    for image in missing {
        let recorded = recorded.iter().find(|recorded| of_target(recorded).as_ref() == Some(image));
        let is_planned = |planned: &PlannedImage| recorded.is_some_and(|recorded| recorded.target == planned.target());
        ensure!(
            plan.images.iter().any(is_planned),
            Failure::new(format!(
                "{image} is missing at the target, and this run does not copy it again; the version was not changed"
            ))
            .hint("Run with the `--images` and `--image-repository-prefix` that the version was promoted with")
        );
    }
    Ok(())
}
