//! The request that a promoted version would make today, without a look at the source's buckets: a draft and the
//! objects that were copied come in, the draft with its references rewritten comes out.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use crate::model::field::{Document, Field, each_leaf};
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::plan::draft::Draft;
use crate::schema::references::{Kind, Reference, references};

/// A draft whose references are those of the copy.
#[derive(Debug, Clone, Default)]
pub struct Rewritten {
    /// The request.
    pub request: Document,
    /// References to objects that were not copied: they are as at the source.
    pub unresolved: Vec<Field>,
}

impl Rewritten {
    /// Rewrites what was copied: `copies` are the source and target of each artifact of the promotion.
    ///
    /// # Errors
    /// A reference is none, or the copies cannot be read.
    pub fn of(
        draft: Draft,
        copies: impl Iterator<Item = Result<(Location, Location)>>,
        layout: &Layout,
    ) -> Result<Self> {
        let mut request = draft.without_etags().request;
        let references = references(&request)?;
        let mut urls = urls_of_card(&request);
        urls.extend(references.iter().map(|reference| reference.location.clone()));
        let copied = Copied::of(&urls, copies, layout)?;
        let mut unresolved = Vec::new();
        for reference in &references {
            match copied.target(reference, layout) {
                Some(target) => {
                    if let Some(value) = reference.field.get_mut(&mut request) {
                        *value = target.to_string().into();
                    }
                }
                None if reference.kind == Kind::Environment => {}
                None => unresolved.push(reference.field.clone()),
            }
        }
        rewrite_card(&mut request, |location| copied.objects.contains(location).then(|| layout.copy_of(location)));
        Ok(Self { request, unresolved })
    }
}

/// Which of the places that are referred to were copied.
struct Copied {
    objects: BTreeSet<Location>,
    manifests: BTreeSet<Location>,
}

impl Copied {
    fn of(
        urls: &BTreeSet<Location>,
        copies: impl Iterator<Item = Result<(Location, Location)>>,
        layout: &Layout,
    ) -> Result<Self> {
        let mut copied = Self { objects: BTreeSet::new(), manifests: BTreeSet::new() };
        for copy in copies {
            let (source, target) = copy?;
            if target == layout.rewritten(&source) {
                copied.manifests.insert(source);
                continue;
            }
            let named = urls.iter().filter(|url| url.bucket == source.bucket && source.key.starts_with(&url.key));
            copied.objects.extend(named.cloned());
        }
        Ok(copied)
    }

    fn target(&self, reference: &Reference, layout: &Layout) -> Option<Location> {
        let location = &reference.location;
        match reference.kind {
            Kind::Output => Some(layout.copy_of(location)),
            Kind::CsvManifest | Kind::JsonManifest => {
                self.manifests.contains(location).then(|| layout.rewritten(location))
            }
            Kind::Object | Kind::Prefix | Kind::Environment => {
                self.objects.contains(location).then(|| layout.copy_of(location))
            }
        }
    }
}

fn card(request: &mut Document) -> Option<&mut String> {
    match Field::top("ModelCard").member("ModelCardContent").get_mut(request) {
        Some(Value::String(card)) => Some(card),
        _ => None,
    }
}

fn urls_of_card(request: &Document) -> BTreeSet<Location> {
    let mut urls = BTreeSet::new();
    let text = request.get("ModelCard").and_then(|card| card.get("ModelCardContent")?.as_str());
    if let Some(Ok(Value::Object(content))) = text.map(serde_json::from_str) {
        each_leaf(&content, &mut |_, value| urls.extend(value.as_str().and_then(|url| url.parse().ok())));
    }
    urls
}

/// A card is a text of JSON. Its URLs are replaced in the text, so that everything else stays to the letter.
fn rewrite_card(request: &mut Document, copy_of: impl Fn(&Location) -> Option<Location>) {
    let Some(card) = card(request) else { return };
    let Ok(Value::Object(content)) = serde_json::from_str(card) else { return };
    let mut replaced = Vec::new();
    each_leaf(&content, &mut |_, value| {
        let copy = value.as_str().and_then(|url| copy_of(&url.parse().ok()?));
        replaced.extend(copy.map(|copy| (value.to_string(), Value::from(copy.to_string()).to_string())));
    });
    for (source, copy) in replaced {
        *card = card.replace(&source, &copy);
    }
}
