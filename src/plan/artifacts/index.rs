//! Which places an object is in: places come in with the members that refer to them, and each object is looked up.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::model::field::Field;
use crate::model::location::{BucketName, Location};
use crate::plan::inventory::{Objects, SourceObject};

/// Which places an object is in.
#[derive(Debug, Default)]
pub(super) struct Index {
    objects: HashMap<Location, (Entry, SourceObject)>,
    prefixes: HashMap<BucketName, HashMap<String, Entry>>,
    /// The lengths of all prefixes: a key is looked up once for each, however many prefixes there are.
    lengths: BTreeSet<usize>,
}

/// A place, and the members that refer to it, with their numbers in the order of the package.
#[derive(Debug)]
struct Entry {
    place: usize,
    fields: Vec<(usize, Field)>,
}

/// What is said of one object.
pub(super) struct Mentions<'a> {
    /// The first place that has it.
    pub first: usize,
    /// All members that refer to it.
    pub fields: Vec<Field>,
    /// As it was looked up by its own key, where it was: that tells more than a listing.
    pub object: Option<&'a SourceObject>,
}

impl Index {
    pub fn of<'a>(
        places: impl Iterator<Item = &'a (Arc<Objects>, Vec<Field>)>,
        order: &HashMap<&Field, usize>,
    ) -> Self {
        let mut index = Self::default();
        for (place, (objects, fields)) in places.enumerate() {
            let fields = fields.iter().map(|field| (order[field], field.clone())).collect();
            let entry = Entry { place, fields };
            match &**objects {
                Objects::One(object) => {
                    index.objects.insert(object.location.clone(), (entry, (**object).clone()));
                }
                Objects::Below(listing) => {
                    let Location { bucket, key } = listing.prefix();
                    index.lengths.insert(key.len());
                    index.prefixes.entry(bucket.clone()).or_default().insert(key.clone(), entry);
                }
            }
        }
        index
    }

    fn entries<'a>(&'a self, at: &'a Location) -> impl Iterator<Item = &'a Entry> + 'a {
        let prefixes = self.prefixes.get(&at.bucket);
        let begins = self.lengths.iter().filter_map(move |length| prefixes?.get(at.key.get(..*length)?));
        begins.chain(self.objects.get(at).map(|(entry, _)| entry))
    }

    pub fn places<'a>(&'a self, at: &'a Location) -> impl Iterator<Item = usize> + 'a {
        self.entries(at).map(|entry| entry.place)
    }

    pub fn mentions(&self, at: &Location) -> Mentions<'_> {
        let entries: Vec<&Entry> = self.entries(at).collect();
        let mut fields: Vec<&(usize, Field)> = entries.iter().flat_map(|entry| &entry.fields).collect();
        fields.sort_by_key(|(number, _)| *number);
        fields.dedup_by_key(|(number, _)| *number);
        Mentions {
            first: entries.iter().map(|entry| entry.place).min().unwrap_or_default(),
            fields: fields.into_iter().map(|(_, field)| field.clone()).collect(),
            object: self.objects.get(at).map(|(_, object)| object),
        }
    }
}
