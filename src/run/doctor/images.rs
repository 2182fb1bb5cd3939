//! The images of a version: each is read at the source, and each repository of the target is asked for.

use std::collections::BTreeMap;

use anyhow::Error;

use super::check::{Asked, Check, Finding};
use super::optional::without;
use super::repositories::{REPOSITORY_UNKNOWN, ask_repository};
use crate::aws::accounts::{SourceAccount, TargetAccount};
use crate::aws::error::{CallError, Kind, Side, with_hints};
use crate::aws::images::ImageId;
use crate::model::arn::GroupArn;
use crate::model::field::Document;
use crate::model::image::{Digest, EcrImage, Repository};
use crate::model::package::Package;
use crate::plan::draft::Draft;
use crate::plan::images::{Classified, Disposition, ImageAccess, ImageRegistry, ImageUse, PlannedImage, classified};
use crate::run::settings::DoctorSettings;

/// The images of one version.
pub(super) struct AskedImages<'a> {
    pub source: &'a SourceAccount,
    pub target: &'a TargetAccount,
    pub group: &'a GroupArn,
    pub settings: &'a DoctorSettings,
}

impl AskedImages<'_> {
    /// Asks for everything that `--images copy` needs.
    pub async fn ask(&self, package: &Package) -> Vec<Check> {
        let overrides = &self.settings.promotion.overrides;
        let (account, region) = (self.group.account().clone(), self.group.region().clone());
        let registry = ImageRegistry { account, region, prefix: overrides.image_repository_prefix.clone() };
        let request = Draft::of(package, self.group.name(), overrides).request;
        let (images, findings) = classified(&request, &registry);
        let mut checks = Vec::new();
        if let Err(error) = findings.refuse(package.arn()) {
            let asked = Asked { side: Side::Source, action: "images", resource: package.arn().as_str(), grant_on: "" };
            checks.push(asked.with(Finding::Missing, Some(with_hints(&error))));
        }
        let access = ImageAccess { source: self.source.images(), target: self.target.images(), registry: &registry };
        let mut repositories: BTreeMap<Repository, Repository> = BTreeMap::new();
        for (image, classified) in images {
            match &classified {
                Classified::Copy(from, to) => {
                    repositories.entry(to.clone()).or_insert_with(|| from.repository.clone());
                }
                Classified::Own(own) => {
                    checks.extend(self.ask_own(&access, &request, own.clone(), image).await);
                    continue;
                }
                Classified::Provided(from, there) if from != there => {}
                Classified::Provided(..) | Classified::Kept(_) => continue,
            }
            checks.extend(self.ask_image(&access, &request, image, classified).await);
        }
        for (to, from) in &repositories {
            let (exists, asked) =
                ask_repository(self.target.images(), to, self.settings.probes, !overrides.no_create_repository).await;
            checks.extend(asked);
            if exists != Some(true) {
                checks.extend(self.ask_settings(from, exists.is_none()).await);
            }
        }
        checks
    }

    /// Reads the manifests of an image, and the last byte of one of its layers.
    async fn ask_image(
        &self,
        access: &ImageAccess<'_>,
        request: &Document,
        image: ImageUse,
        classified: Classified,
    ) -> Vec<Check> {
        let (side, named) = match &classified {
            Classified::Provided(_, there) => (Side::Target, Some(there.clone())),
            Classified::Copy(from, _) => (Side::Source, Some(from.clone())),
            Classified::Own(_) | Classified::Kept(_) => (Side::Source, None),
        };
        let Some(EcrImage { repository, .. }) = named else { return Vec::new() };
        let (uri, arn) = (image.image.clone(), repository.arn());
        let reads = Asked { side, action: "ecr:BatchGetImage", resource: &uri, grant_on: &arn };
        let found = match access.look_up_one(request, image, classified).await {
            Ok(found) => found,
            Err(error) => return unread(reads, &error, side, &arn),
        };
        let mut checks = reads.check(Ok(()), &[]);
        checks.extend(self.ask_layer(&repository, &found).await);
        checks
    }

    /// Looks up an image of the target's own registry. A promotion needs the image, but not the permission to look it up.
    async fn ask_own(
        &self,
        access: &ImageAccess<'_>,
        request: &Document,
        own: EcrImage,
        image: ImageUse,
    ) -> Vec<Check> {
        let (uri, arn, action) = (image.image.clone(), own.repository.arn(), "ecr:BatchGetImage");
        let reads = Asked { side: Side::Target, action, resource: &uri, grant_on: &arn };
        let lost = "a promotion does not see whether the image exists, and names it as the source does";
        // Asked here too: the look-up of a promotion goes on without an answer if the call is denied.
        let any = [ImageId::Digest(Digest::of(b"promote doctor"))];
        if let Err(error) = self.target.images().look_up(&own.repository, &any).await {
            let is_denied = error.kind == Kind::Denied;
            let checks = reads.check::<()>(Err(error), &[]);
            return if is_denied { without(checks, action, lost) } else { checks };
        }
        match access.look_up_one(request, image, Classified::Own(own)).await {
            Ok(_) => without(reads.check(Ok(()), &[]), action, lost),
            Err(error) => failed(reads, &error),
        }
    }

    async fn ask_layer(&self, repository: &Repository, image: &PlannedImage) -> Vec<Check> {
        let Disposition::Copy { content, .. } = &image.disposition else { return Vec::new() };
        let Some(layer) = content.layers.iter().filter(|layer| layer.bytes > 0).min_by_key(|layer| layer.bytes) else {
            return Vec::new();
        };
        let (at, arn) = ((repository, &layer.digest), repository.arn());
        let read = self.source.images().resume(at, &mut None, (layer.bytes - 1, layer.bytes)).await;
        let read = match read {
            Ok(mut download) => download.next(at).await,
            Err(error) => Err(error),
        };
        let action = "ecr:GetDownloadUrlForLayer";
        Asked { side: Side::Source, action, resource: &arn, grant_on: &arn }.check(read, &[])
    }

    /// Asks for the settings of a repository, which a repository that is created gets.
    async fn ask_settings(&self, from: &Repository, hidden: bool) -> Vec<Check> {
        let (action, arn) = ("ecr:DescribeRepositories", from.arn());
        let asked = Asked { side: Side::Source, action, resource: &arn, grant_on: &arn };
        if hidden {
            return without(vec![asked.hidden(REPOSITORY_UNKNOWN, "ecr:BatchGetImage")], action, "");
        }
        let answer = self.source.images().settings(from).await;
        without(asked.check(answer, &[]), action, "the created repository has the default settings of Amazon ECR")
    }
}

/// The checks of an image that could not be looked up. Its layers are not known, if they would be copied.
fn unread(reads: Asked<'_>, error: &Error, side: Side, arn: &str) -> Vec<Check> {
    let mut checks = failed(reads, error);
    if side == Side::Source && checks.iter().any(|check| check.result == Finding::Denied) {
        let layers = Asked { side, action: "ecr:GetDownloadUrlForLayer", resource: arn, grant_on: arn };
        checks.push(layers.hidden("the layers are not known", "ecr:BatchGetImage"));
    }
    checks
}

/// The check of an image that could not be looked up.
fn failed(asked: Asked<'_>, error: &Error) -> Vec<Check> {
    match error.downcast_ref::<CallError>() {
        Some(error) => asked.check::<()>(Err(error.clone()), &[]),
        None => vec![asked.with(Finding::Missing, Some(with_hints(error)))],
    }
}
