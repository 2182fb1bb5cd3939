//! Remembers which images the target has, so that the groups of a run look up the same images once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::there::{ImagesThere, look, of_target};
use crate::aws::error::CallError;
use crate::aws::images::TargetImages;
use crate::model::image::EcrImage;
use crate::record::ImageFacts;

/// Images of the target that the groups of one run have looked up: groups with the same images make one call.
#[derive(Debug, Default)]
pub(crate) struct ImagesSeen(Mutex<BTreeMap<Vec<RecordedImage>, Arc<OnceCell<bool>>>>);

/// An image of a record, and whether it needs its tag.
type RecordedImage = (EcrImage, bool);

impl ImagesSeen {
    /// The same as [`look`]. Makes no call if another group of this run has found all of these images with their tags.
    ///
    /// # Errors
    /// The target cannot be read.
    pub(in crate::run) async fn look(
        &self,
        target: &TargetImages,
        recorded: &[ImageFacts],
    ) -> Result<ImagesThere, CallError> {
        let of_target = |image: &ImageFacts| Some((of_target(image)?, image.kept.is_none()));
        let images: Vec<RecordedImage> = recorded.iter().filter_map(of_target).collect();
        let cell = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(images).or_default());
        let mut own = None;
        let first = &mut own;
        let looks = move || async move {
            let there = look(target, recorded).await?;
            let is_complete = there.is_complete();
            *first = Some(there);
            Ok::<_, CallError>(is_complete)
        };
        let is_complete = *cell.get_or_try_init(looks).await?;
        match own {
            Some(there) => Ok(there),
            None if is_complete => Ok(ImagesThere::default()),
            None => look(target, recorded).await,
        }
    }
}
