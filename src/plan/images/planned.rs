//! An image of a version, and what a promotion does with it.

use std::sync::Arc;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::content::{Content, Referrers};
use crate::model::field::Field;
use crate::model::image::{Digest, EcrImage, Repository};
use crate::plan::warning::Warning;

/// `--images`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Images {
    /// Copy the images to the target account's registry
    #[default]
    Copy,
    /// Keep the images of the source
    Keep,
}

/// An image of a version, and what a promotion does with it.
#[derive(Debug, Clone)]
pub struct PlannedImage {
    /// The image as the source version names it.
    pub source: String,
    /// The ImageDigest that the source version has beside it.
    pub recorded: Option<String>,
    /// The fields that have the image.
    pub fields: Vec<Field>,
    /// What is done with it.
    pub disposition: Disposition,
    /// The digest that the tag has now, if the tag has moved since the version was registered.
    pub moved: Option<Digest>,
}

/// What a promotion does with an image.
#[derive(Debug, Clone)]
pub enum Disposition {
    /// It is copied, unless it is there.
    Copy {
        /// The repository of the source.
        source: Repository,
        /// The image of the target, by its digest.
        target: EcrImage,
        /// The manifests and layers.
        content: Arc<Content>,
        /// Signatures and the like, which are copied too.
        referrers: Referrers,
    },
    /// AWS provides it, and SageMaker pulls it from AWS's registry in the target's region.
    Provided {
        /// The image in the target's region.
        target: EcrImage,
        /// The digest that it has there, if that is another region than the source's.
        now: Option<Digest>,
        /// The digest that the version was registered with, if that is another one.
        other: Option<Digest>,
    },
    /// It is in the target account's registry in the target's region.
    Own {
        /// The image, by its digest if its tag does not name it any more.
        target: EcrImage,
        /// Its digest; nothing if it could not be read.
        digest: Option<Digest>,
        /// Why it could not be read.
        unread: Option<Arc<str>>,
    },
    /// The target uses it as it is.
    Kept(Kept),
}

/// Why an image is not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// It is in the target account's registry in the target's region.
    OwnRegistry,
    /// It is not in a private registry of Amazon ECR.
    OtherRegistry,
}

impl PlannedImage {
    /// What a reader should know of the image.
    pub fn warnings(&self) -> impl Iterator<Item = Warning> {
        let remarks = [self.moved_remark(), self.remark()].into_iter().flatten();
        let field = self.fields.first().map(ToString::to_string).unwrap_or_default();
        remarks.map(move |remark| Warning { field: field.clone(), remark })
    }

    /// The tag has moved.
    fn moved_remark(&self) -> Option<String> {
        let (now, approved) = (self.moved.as_ref()?, self.digest()?);
        Some(format!(
            "the tag of {} has moved since the version was registered: it has {now} now; {approved}, which was registered, \
             is promoted",
            self.source
        ))
    }

    fn remark(&self) -> Option<String> {
        let source = &self.source;
        match &self.disposition {
            Disposition::Copy { referrers, .. } => {
                let why = referrers.unlisted.as_ref()?;
                Some(format!("signatures and other artifacts that refer to {source} are not all copied: {why}"))
            }
            Disposition::Provided { target, now, other } => {
                let (now, other) = (now.as_ref()?, other.as_ref()?);
                Some(format!(
                    "AWS's image {target} has the digest {now}, which differs from {other}, which was registered; AWS does \
                     not promise that a tag is the same image in every region"
                ))
            }
            Disposition::Own { unread: Some(why), .. } => {
                Some(format!("{source} could not be looked up, so its URI is carried over unchanged: {why}"))
            }
            Disposition::Own { target, .. } if self.moved.is_none() && target.to_string() != *source => Some(format!(
                "the tag of {source} does not exist any more; the image that was registered is promoted as {target}"
            )),
            Disposition::Own { .. } | Disposition::Kept(_) => None,
        }
    }

    /// The digest of the image at the target, if it is known.
    pub fn digest(&self) -> Option<&Digest> {
        match &self.disposition {
            Disposition::Copy { target, .. } => target.digest.as_ref(),
            Disposition::Provided { now, .. } => now.as_ref(),
            Disposition::Own { digest, .. } => digest.as_ref(),
            Disposition::Kept(_) => None,
        }
    }

    /// The image that the promoted version names.
    pub fn target(&self) -> String {
        match &self.disposition {
            Disposition::Copy { target, .. }
            | Disposition::Provided { target, .. }
            | Disposition::Own { target, .. } => target.to_string(),
            Disposition::Kept(_) => self.source.clone(),
        }
    }
}
