//! The resource of a call.

use std::fmt;

use crate::model::arn::{GroupArn, KmsKeyArn, PackageArn};
use crate::model::image::{Digest, Repository};
use crate::model::location::{BucketName, Location};

/// What stands between the object that a copy writes and the object that it reads.
pub(super) const COPIED_FROM: &str = ", copied from ";

/// The resource of a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Resource<'a> {
    Object(&'a Location),
    /// An object that is written, with the key of the settings.
    New {
        at: &'a Location,
        key: Option<&'a KmsKeyArn>,
    },
    /// An object that is no part of a promotion.
    Page(&'a Location),
    Bucket(&'a BucketName),
    Copy {
        source: &'a Location,
        target: &'a Location,
        key: Option<&'a KmsKeyArn>,
    },
    Group(&'a GroupArn),
    Package(&'a PackageArn),
    Key(&'a KmsKeyArn),
    Repository(&'a Repository),
    /// A repository that is only read.
    Images(&'a Repository),
    Layer {
        repository: &'a Repository,
        layer: &'a Digest,
    },
    /// All groups that a principal can see.
    Registry,
    Principal,
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(location) | Self::New { at: location, .. } | Self::Page(location) => location.fmt(f),
            Self::Bucket(bucket) => write!(f, "s3://{bucket}"),
            Self::Copy { source, target, .. } => write!(f, "{target}{COPIED_FROM}{source}"),
            Self::Group(group) => group.fmt(f),
            Self::Package(package) => package.fmt(f),
            Self::Key(key) => key.fmt(f),
            Self::Repository(repository) | Self::Images(repository) => repository.fmt(f),
            Self::Layer { repository, layer } => write!(f, "layer {layer} of {repository}"),
            Self::Registry => f.write_str("the model registry"),
            Self::Principal => f.write_str("the current principal"),
        }
    }
}
