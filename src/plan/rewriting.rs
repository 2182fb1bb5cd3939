//! Rewrites the references of a draft to the locations of the copies. The plan of a promotion and later updates of the
//! promoted version share this code.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::Value;

use crate::model::field::{Document, Field, each_leaf};
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::plan::artifacts::Artifacts;
use crate::plan::card::{string_values, with_values_replaced};
use crate::plan::draft::Draft;
use crate::plan::environment::EnvironmentUrls;
use crate::plan::findings::references_of;
use crate::plan::images::{ImageRegistry, ImageTarget, ImageUse, rewrite};
use crate::plan::inventory::Found;
use crate::plan::not_carried::NotCarried;
use crate::plan::resolved::Resolved;
use crate::schema::references::{Reference, ReferenceKind};

/// Maps copied source locations to target locations.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// References by exact kind and location. An object below a prefix does not resolve the prefix.
    references: BTreeMap<(ReferenceKind, Location), Location>,
    /// Copied objects whose URLs occur in fields that are not references.
    objects: BTreeMap<Location, Location>,
    /// Images by the text and the digest that containers have.
    images: BTreeMap<ImageUse, ImageTarget>,
    /// Where images are copied to, if they are.
    registry: Option<ImageRegistry>,
}

impl Targets {
    /// The targets of everything that a promotion copies. `urls` is the result of [`urls_elsewhere`].
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn of(
        found: &[(Reference, Found)],
        artifacts: &Artifacts,
        urls: &BTreeSet<Location>,
        layout: &Layout,
    ) -> Result<Self> {
        let mut targets = Self::default();
        for (reference, found) in found {
            let target = match found {
                Found::Nothing | Found::NotCopied(_) => continue,
                Found::Output => layout.output(&reference.location),
                Found::Object(_) | Found::Prefix(_) => layout.copy_of(&reference.location),
                Found::Manifest(_) => layout.rewritten(&reference.location),
            };
            targets.add_reference(reference.kind, reference.location.clone(), target);
        }
        for url in urls {
            if artifacts.contains(url)? {
                targets.add_object(url.clone(), layout.copy_of(url));
            }
        }
        Ok(targets)
    }

    /// The targets of references as they are if everything exists. Environment variables may refer to nothing.
    pub(super) fn expected(references: &[Reference], layout: &Layout) -> Self {
        let mut targets = Self::default();
        for Reference { kind, location, .. } in references {
            let target = match kind {
                ReferenceKind::Environment => continue,
                ReferenceKind::Output => layout.output(location),
                ReferenceKind::Object | ReferenceKind::Prefix => layout.copy_of(location),
                ReferenceKind::CsvManifest | ReferenceKind::JsonManifest => layout.rewritten(location),
            };
            targets.add_reference(*kind, location.clone(), target);
        }
        targets
    }

    /// Adds a reference that was resolved.
    pub fn add_reference(&mut self, kind: ReferenceKind, source: Location, target: Location) {
        self.references.insert((kind, source), target);
    }

    /// Adds an object that was copied.
    pub fn add_object(&mut self, source: Location, target: Location) {
        self.objects.insert(source, target);
    }

    /// Adds an image that is replaced.
    pub fn add_image(&mut self, source: ImageUse, target: ImageTarget) {
        self.images.insert(source, target);
    }

    /// Images are copied to this registry.
    pub fn copy_images_to(&mut self, registry: ImageRegistry) {
        self.registry = Some(registry);
    }

    /// Whether an image would be replaced by one that was not copied.
    fn lacks(&self, image: &ImageUse) -> bool {
        self.registry.as_ref().is_some_and(|registry| registry.replaces(image))
    }

    /// Whether the text is an image that replaces one of the source.
    pub(super) fn is_image(&self, text: &str) -> bool {
        self.images.values().any(|target| target.image == text)
    }

    /// The target of a reference with exactly this kind and location.
    fn of_reference(&self, reference: &Reference) -> Option<&Location> {
        self.references.get(&(reference.kind, reference.location.clone()))
    }

    /// The target of a URL in a field that is not a reference: a copied object, or a prefix that was copied completely,
    /// which the URL may name without the slash at its end.
    pub(super) fn of_url(&self, url: &str) -> Option<Location> {
        let location: Location = url.parse().ok()?;
        let copied = [ReferenceKind::Object, ReferenceKind::Prefix, ReferenceKind::Environment];
        let of_kind = |kind: ReferenceKind| self.references.get(&(kind, location.clone()));
        if let Some(target) = self.objects.get(&location).or_else(|| copied.into_iter().find_map(of_kind)) {
            return Some(target.clone());
        }
        let folder = Location::new(&location.bucket, format!("{}/", location.key));
        let target = self.references.get(&(ReferenceKind::Prefix, folder)).filter(|_| !location.key.is_empty())?;
        Some(Location::new(&target.bucket, target.key.trim_end_matches('/')))
    }

    /// Whether the text is the URL of a copy.
    pub(super) fn is_target(&self, text: &str) -> bool {
        let is_text = |target: &&Location| target.to_string() == text;
        let folder = |target: &&Location| target.to_string().trim_end_matches('/') == text;
        self.objects.values().any(|target| is_text(&target))
            || self.references.values().any(|target| is_text(&target) || folder(&target))
    }
}

/// A rewritten draft.
#[derive(Debug, Clone, Default)]
pub struct Rewritten {
    /// The request.
    pub request: Document,
    /// The SourceUri that UpdateModelPackage sets, because CreateModelPackage does not accept it with the other fields.
    pub source_uri: Option<String>,
    /// Each reference of the draft.
    pub references: Vec<Resolved>,
    /// The images that would have to be copied, and were not. They still name the source.
    pub images_not_copied: Vec<Field>,
    /// In a sync: the references whose objects at the source differ from the promoted ones.
    pub not_promoted: Vec<Field>,
    /// The fields that are not carried over.
    pub not_carried: Vec<NotCarried>,
    /// Which S3 URLs in environment variables are copied.
    pub environment_urls: EnvironmentUrls,
}

impl Rewritten {
    /// Rewrites the references and the model card of a draft of `package`.
    ///
    /// # Errors
    /// A reference is malformed.
    pub fn of(package: &Package, draft: Draft, targets: &Targets) -> Result<Self> {
        let Draft { mut request, mut not_carried, environment_urls, .. } = draft.without_etags();
        let mut references = Vec::new();
        for reference in references_of(package.arn(), &request)? {
            let target = targets.of_reference(&reference).cloned();
            if let (Some(target), Some(value)) = (&target, reference.field.get_mut(&mut request)) {
                *value = target.to_string().into();
            }
            references.push(Resolved { reference, target });
        }
        if let Some(Value::String(content)) = card_field().get_mut(&mut request) {
            *content = with_values_replaced(content, |url| targets.of_url(url).as_ref().map(Location::to_string));
        }
        let kept = rewrite(&mut request, &targets.images).into_iter();
        let images_not_copied = kept.filter(|(_, image)| targets.lacks(image)).map(|(field, _)| field).collect();
        let source_uri = source_uri(package, targets, &mut not_carried);
        Ok(Self {
            request,
            source_uri,
            references,
            images_not_copied,
            not_promoted: Vec::new(),
            not_carried,
            environment_urls,
        })
    }

    /// The references without a target, which still name the source. Most environment variables may refer to nothing.
    pub fn unresolved(&self) -> impl Iterator<Item = &Reference> {
        let unresolved = self.references.iter().filter(|resolved| resolved.target.is_none());
        let required = |reference: &&Reference| !self.environment_urls.is_optional(reference);
        unresolved.map(|resolved| &resolved.reference).filter(required)
    }
}

/// The URLs in fields that are not references. The model card and SourceUri follow copied objects; the other fields
/// keep their URLs. None of them causes a copy.
pub fn urls_elsewhere(package: &Package, request: &Document) -> BTreeSet<Location> {
    let card = card_field().get(request).and_then(Value::as_str).map(string_values).unwrap_or_default();
    let mut urls: BTreeSet<Location> =
        card.iter().map(String::as_str).chain(package.text("SourceUri")).filter_map(|url| url.parse().ok()).collect();
    each_leaf(request, &mut |_, value| urls.extend(value.as_str().and_then(|text| text.parse::<Location>().ok())));
    urls
}

fn card_field() -> Field {
    Field::top("ModelCard").member("ModelCardContent")
}

/// The SourceUri of the promoted version. The ARN of a model or a package is omitted, because SageMaker would clone
/// what it names (API reference of CreateModelPackage).
fn source_uri(package: &Package, targets: &Targets, not_carried: &mut Vec<NotCarried>) -> Option<String> {
    let uri = package.text("SourceUri").filter(|uri| !uri.is_empty())?;
    let field = Field::top("SourceUri");
    if is_cloned(uri) {
        let reason = "SageMaker would clone the model or package that the ARN names; the record contains the ARN";
        not_carried.push(NotCarried::new(&field, uri, reason).informational());
        return None;
    }
    if let Some(target) = targets.of_url(uri) {
        return Some(target.to_string());
    }
    if Location::is_claimed_by(uri) {
        let reason = "no reference names this location, so it is carried over unchanged and not copied";
        not_carried.push(NotCarried::new(&field, uri, reason).informational());
    } else if uri.contains(package.arn().account().as_str()) {
        let reason = "it names the source account and is carried over unchanged";
        not_carried.push(NotCarried::new(&field, uri, reason).informational());
    }
    Some(uri.to_owned())
}

/// Whether the URI is the ARN of a model or a model package.
fn is_cloned(uri: &str) -> bool {
    let resource = uri.starts_with("arn:").then(|| uri.splitn(6, ':').nth(5)).flatten();
    resource.is_some_and(|resource| resource.starts_with("model/") || resource.starts_with("model-package/"))
}
