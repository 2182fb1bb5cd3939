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
    /// Warnings: the tag has moved, or the registry does not list signatures.
    pub fn warnings(&self) -> impl Iterator<Item = Warning> {
        self.moved_warning().into_iter().chain(self.unlisted_warning())
    }

    fn unlisted_warning(&self) -> Option<Warning> {
        let Disposition::Copy { referrers, .. } = &self.disposition else { return None };
        let field = self.fields.first().map(ToString::to_string).unwrap_or_default();
        let remark = format!(
            "signatures and other artifacts that refer to {} are not all copied: {}",
            self.source,
            referrers.unlisted.as_ref()?
        );
        Some(Warning { field, remark })
    }

    fn moved_warning(&self) -> Option<Warning> {
        let (now, Disposition::Copy { target, .. }) = (self.moved.as_ref()?, &self.disposition) else { return None };
        let approved = target.digest.as_ref()?;
        let field = self.fields.first().map(ToString::to_string).unwrap_or_default();
        let remark = format!(
            "the tag of {} has moved since the version was registered: it has {now} now; {approved}, which was registered, \
             is promoted",
            self.source
        );
        Some(Warning { field, remark })
    }

    /// The image that the promoted version names.
    pub fn target(&self) -> String {
        match &self.disposition {
            Disposition::Copy { target, .. } | Disposition::Provided { target } => target.to_string(),
            Disposition::Kept(_) => self.source.clone(),
        }
    }
}
