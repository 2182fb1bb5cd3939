//! What a promotion copies: what the references point to comes in, each distinct object comes out once, with every
//! member that refers to it. Objects are read off their listings when they are wanted, never all held at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;

use crate::model::field::Field;
use crate::model::layout::{Layout, MAX_KEY_BYTES};
use crate::model::location::Location;
use crate::plan::inventory::{Found, Objects, SourceObject, refer_to};
use crate::plan::listing::Listing;
use crate::schema::references::Reference;
use crate::store::spool::Place;

mod index;

use index::{Index, Mentions};

/// One object of the target bucket.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The source object.
    pub source: SourceObject,
    /// Where its copy goes.
    pub target: Location,
    /// Every member that refers to it.
    pub fields: Vec<Field>,
    /// What is written there.
    pub body: Body,
}

/// What is written to a target object.
#[derive(Debug, Clone)]
pub enum Body {
    /// The source's bytes.
    Copy,
    /// A manifest with its locations rewritten.
    Rewritten(Bytes),
}

impl Artifact {
    /// Whether S3 would not take its key.
    pub fn has_long_key(&self) -> bool {
        self.target.key.len() > MAX_KEY_BYTES
    }

    /// The size of the target object.
    pub fn bytes(&self) -> u64 {
        match &self.body {
            Body::Copy => self.source.bytes,
            Body::Rewritten(text) => text.len() as u64,
        }
    }
}

/// The artifacts of a plan, in the order of bucket and key as far as S3 lists in that order; manifests come first, and
/// what is still being listed comes last, so that numbers stay what they are.
#[derive(Debug)]
pub struct Artifacts {
    layout: Layout,
    manifests: Vec<Artifact>,
    /// In the order of their places, so that a prefix comes before what lies below it.
    places: Vec<Arc<Objects>>,
    /// What is still being listed. Nothing else has its objects.
    growing: Option<(Arc<Listing>, Vec<Field>)>,
    index: Index,
}

/// Some of the artifacts, one after the other: their first number, and which part of what is still being listed they
/// are. The first such part has everything else before it.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    first: usize,
    from: Place,
    to: Place,
}

impl Stretch {
    /// Whether nothing comes before it.
    pub fn is_first(self) -> bool {
        self.first == 0
    }
}

impl Artifacts {
    /// Finds out what is referred to where.
    ///
    /// # Errors
    /// A manifest cannot be written with other locations.
    pub fn new(found: &[(Reference, Found)], layout: &Layout) -> Result<Self> {
        let mut manifests: BTreeMap<Location, Artifact> = BTreeMap::new();
        let mut places = Places::new();
        let mut add = |objects: &Arc<Objects>, field: &Field| {
            let place = (objects.location().clone(), matches!(**objects, Objects::One(_)));
            places.entry(place).or_insert_with(|| (objects.clone(), Vec::new())).1.push(field.clone());
        };
        for (Reference { field, .. }, found) in found {
            match found {
                Found::Objects(objects) => add(objects, field),
                Found::Manifest(followed) => {
                    let text = followed.manifest.rewritten(|location| layout.copy_of(location))?;
                    let target = layout.rewritten(&followed.object.location);
                    let manifest = manifests.entry(target.clone()).or_insert_with(|| Artifact {
                        source: followed.object.clone(),
                        target,
                        fields: Vec::new(),
                        body: Body::Rewritten(text),
                    });
                    manifest.fields.push(field.clone());
                    followed.named.iter().for_each(|objects| add(objects, field));
                }
                Found::Output | Found::Nothing => {}
            }
        }
        let order: HashMap<&Field, usize> = found.iter().enumerate().map(|(n, (r, _))| (&r.field, n)).collect();
        let growing = growing(&mut places);
        let index = Index::of(places.values(), &order);
        let places: Vec<Arc<Objects>> = places.into_values().map(|(objects, _)| objects).collect();
        let manifests = manifests.into_values().collect();
        let artifacts = Self { layout: layout.clone(), manifests, places, growing, index };
        artifacts.refuse_changes()?;
        Ok(artifacts)
    }

    /// What lies in two places is taken from the first. It has to be the same there, or something would be left out.
    fn refuse_changes(&self) -> Result<()> {
        let first = |at: &Location| self.index.places(at).min();
        let nested = self.places.iter().enumerate().filter_map(|(place, objects)| {
            let outer = first(objects.location()).filter(|outer| *outer < place)?;
            Some((place, outer))
        });
        let nested: BTreeMap<usize, usize> = nested.collect();
        let mut seen: HashMap<usize, u64> = HashMap::new();
        for outer in nested.values().collect::<BTreeSet<_>>() {
            for object in self.places[*outer].iter() {
                let object = object?;
                let others = self.index.places(&object.location).filter(|place| nested.get(place) == Some(outer));
                others.for_each(|place| add(seen.entry(place).or_default(), &object));
            }
        }
        for place in nested.keys() {
            let (objects, mut own) = (&self.places[*place], 0);
            for object in objects.iter() {
                add(&mut own, &object?);
            }
            let same = seen.get(place).is_some_and(|seen| *seen == own);
            ensure!(same, "{} changed while it was listed; run again", objects.location());
        }
        Ok(())
    }

    /// Each artifact that is known, once.
    pub fn iter(&self) -> impl Iterator<Item = Result<Artifact>> + Send + '_ {
        self.within(self.known()).map(|item| item.map(|(_, artifact)| artifact))
    }

    /// All that is known.
    pub fn known(&self) -> Stretch {
        Stretch {
            first: 0,
            from: Place::default(),
            to: self.growing.as_ref().map_or_else(Place::default, |(l, _)| l.end()),
        }
    }

    /// What has been listed after a stretch of so many artifacts; waits for it. Nothing when all is listed.
    ///
    /// # Errors
    /// The listing broke off.
    pub async fn after(&self, stretch: Stretch, count: usize) -> Result<Option<Stretch>> {
        let Some((listing, fields)) = &self.growing else { return Ok(None) };
        let (first, from) = (stretch.first + count, stretch.to);
        let more = listing.has_more(from).await;
        let more = more.with_context(|| refer_to(fields, listing.prefix()))?;
        Ok(more.then(|| Stretch { first, from, to: listing.end() }))
    }

    /// Whether there may be more than what is known.
    pub fn may_grow(&self) -> bool {
        self.growing.as_ref().is_some_and(|(listing, _)| !listing.is_whole())
    }

    /// The artifacts of a stretch, with their numbers.
    pub fn within(&self, stretch: Stretch) -> impl Iterator<Item = Result<(usize, Artifact)>> + Send + '_ {
        let copies = self.places.iter().enumerate().flat_map(move |(place, objects)| {
            objects.iter().filter_map(move |object| object.map(|object| self.copy(place, object)).transpose())
        });
        let others = self.manifests.iter().cloned().map(Ok).chain(copies);
        let others = stretch.is_first().then_some(others).into_iter().flatten();
        let listed = self.growing.iter().flat_map(move |(listing, fields)| {
            listing.between(stretch.from, stretch.to).map(|object| Ok(self.copy_for(fields.clone(), object?)))
        });
        let numbered = others.chain(listed).enumerate();
        numbered.map(move |(number, artifact)| Ok((stretch.first + number, artifact?)))
    }

    /// The copy of an object, unless an earlier place has it already.
    fn copy(&self, place: usize, listed: SourceObject) -> Option<Artifact> {
        let Mentions { first, fields, object } = self.index.mentions(&listed.location);
        if first != place {
            return None;
        }
        Some(self.copy_for(fields, object.cloned().unwrap_or(listed)))
    }

    fn copy_for(&self, fields: Vec<Field>, source: SourceObject) -> Artifact {
        let target = self.layout.copy_of(&source.location);
        Artifact { source, target, fields, body: Body::Copy }
    }
}

/// Places with the members that refer to them, and whether each is a single object.
type Places = BTreeMap<(Location, bool), (Arc<Objects>, Vec<Field>)>;

/// Takes out what is still being listed.
fn growing(places: &mut Places) -> Option<(Arc<Listing>, Vec<Field>)> {
    let is_growing = |(objects, _): &(Arc<Objects>, Vec<Field>)| match &**objects {
        Objects::Below(listing) => !listing.is_whole(),
        Objects::One(_) => false,
    };
    let place = places.iter().find(|(_, place)| is_growing(place))?.0.clone();
    let (objects, fields) = places.remove(&place)?;
    match &*objects {
        Objects::Below(listing) => Some((Arc::clone(listing), fields)),
        Objects::One(_) => None,
    }
}

/// Adds an object to a sum that tells whether two lists have the same objects, in whatever order.
fn add(sum: &mut u64, object: &SourceObject) {
    let mut hasher = DefaultHasher::new();
    (&object.location, object.bytes, &object.etag).hash(&mut hasher);
    *sum = sum.wrapping_add(hasher.finish());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::objects::ETag;
    use crate::schema::references::Kind;

    fn object(url: &str) -> SourceObject {
        SourceObject { location: url.parse().unwrap(), bytes: 1, etag: ETag::new("e"), head: None }
    }

    fn below(prefix: &str, keys: &[&str]) -> Found {
        Found::Objects(Objects::Below(Listing::of(prefix, keys, true).into()).into())
    }

    fn one(url: &str) -> Found {
        Found::Objects(Objects::One(object(url).into()).into())
    }

    /// `key (field field)` of each artifact.
    fn artifacts(found: Vec<(&str, &str, Found)>) -> Vec<String> {
        let pair = |(field, url, found): (&str, &str, Found)| {
            let location = url.parse().unwrap();
            (Reference { field: Field::top(field), location, kind: Kind::Prefix, etag: None }, found)
        };
        let found: Vec<_> = found.into_iter().map(pair).collect();
        let source = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn/7".parse().unwrap();
        let bucket = "serving".parse().unwrap();
        let layout = Layout::new(&bucket, &Default::default(), &"Prod".parse().unwrap(), &source);
        let artifacts = Artifacts::new(&found, &layout).unwrap();
        let line = |artifact: Result<Artifact>| {
            let Artifact { source, fields, .. } = artifact.unwrap();
            let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
            format!("{} ({})", source.location, fields.join(" "))
        };
        artifacts.iter().map(line).collect()
    }

    #[test]
    fn an_object_in_several_places_is_one_artifact_with_every_field() {
        let found = artifacts(vec![
            ("Three", "s3://one/m/a", one("s3://one/m/a")),
            ("One", "s3://one/m/", below("s3://one/m/", &["a", "b"])),
            ("Two", "s3://one/m", below("s3://one/m", &["/a", "/b", "0"])),
        ]);
        assert_eq!(found, ["s3://one/m/a (Three One Two)", "s3://one/m/b (One Two)", "s3://one/m0 (Two)"]);
    }

    #[test]
    fn the_same_key_in_two_buckets_is_two_artifacts() {
        let found = artifacts(vec![
            ("One", "s3://one/m/", below("s3://one/m/", &["a"])),
            ("Two", "s3://two/m/", below("s3://two/m/", &["a"])),
            ("Three", "s3://one/m/", below("s3://one/m/", &["a"])),
        ]);
        assert_eq!(found, ["s3://one/m/a (One Three)", "s3://two/m/a (Two)"]);
    }

    #[test]
    fn a_prefix_that_ends_within_a_letter_of_several_bytes_is_no_trouble() {
        let found = artifacts(vec![
            ("One", "s3://one/m", below("s3://one/m", &["1x", "模"])),
            ("Two", "s3://one/m1", below("s3://one/m1", &["x"])),
        ]);
        assert_eq!(found, ["s3://one/m1x (One Two)", "s3://one/m模 (One)"]);
    }

    #[test]
    #[should_panic(expected = "s3://one/m/a changed while it was listed; run again")]
    fn an_object_that_came_between_two_listings_is_not_left_out() {
        artifacts(vec![
            ("One", "s3://one/m/", below("s3://one/m/", &["b"])),
            ("Two", "s3://one/m/a", one("s3://one/m/a")),
        ]);
    }
}
