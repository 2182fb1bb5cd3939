//! What lies in the folder of a promotion: it is listed once, and its objects come out by their keys. Memory has eight
//! bytes of each; the rest lies in a temporary file where there are many.

use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::Result;

use crate::aws::objects::{Listed, TargetObjects};
use crate::model::location::Location;
use crate::store::spool::{Place, Spool};

/// A folder as it was listed.
#[derive(Debug, Default)]
pub struct Folder {
    objects: Spool<Listed>,
    /// One for each object, sorted.
    slots: Vec<Slot>,
}

/// Where an object is: bits of its key's hash, and below them its place in the listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot(u64);

/// A place is a number of bytes: a listing of a terabyte has billions of objects.
const PLACE_BITS: u32 = 40;

impl Slot {
    fn new(key: &str, Place(place): Place) -> Self {
        Self(hash(key) << PLACE_BITS | place)
    }

    fn hash(self) -> u64 {
        self.0 >> PLACE_BITS
    }

    fn place(self) -> Place {
        Place(self.0 & ((1 << PLACE_BITS) - 1))
    }
}

/// As many bits as a slot has beside the place.
fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish() >> PLACE_BITS
}

impl Folder {
    /// Lists it.
    ///
    /// # Errors
    /// The target cannot be listed, or the temporary folder is full.
    pub async fn list(target: &TargetObjects, at: &Location) -> Result<Self> {
        let mut folder = Self::default();
        let mut pages = target.list(&at.bucket, &at.key);
        while let Some(page) = pages.next().await? {
            for listed in page {
                folder.slots.push(Slot::new(&listed.key, folder.objects.push(&listed)?));
            }
        }
        folder.slots.sort_unstable();
        Ok(folder)
    }

    /// A mark for the number of each object, not set.
    pub fn marks(&self) -> Vec<bool> {
        vec![false; self.slots.len()]
    }

    /// The object of a key, with its number among [`Folder::marks`].
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn find(&self, key: &str) -> Result<Option<(usize, Listed)>> {
        let hash = hash(key);
        let first = self.slots.partition_point(|slot| slot.hash() < hash);
        for (number, slot) in (first..).zip(&self.slots[first..]).take_while(|(_, slot)| slot.hash() == hash) {
            let listed = self.objects.get(slot.place())?;
            if listed.key == key {
                return Ok(Some((number, listed)));
            }
        }
        Ok(None)
    }

    /// Every object in the order of the listing.
    pub fn iter(&self) -> impl Iterator<Item = Result<Listed>> + '_ {
        self.objects.iter()
    }

    /// The objects whose marks are not set, in the order of the listing.
    pub fn others(&self, marks: &[bool]) -> impl Iterator<Item = Result<Listed>> + '_ {
        let others = self.slots.iter().zip(marks).filter(|(_, mark)| !**mark);
        let mut places: Vec<Place> = others.map(|(slot, _)| slot.place()).collect();
        places.sort_unstable();
        places.into_iter().map(|place| self.objects.get(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::objects::ETag;

    fn folder(keys: impl Iterator<Item = String>) -> Folder {
        let mut folder = Folder::default();
        for (size, key) in (0..).zip(keys) {
            let listed = Listed { key, size, etag: ETag::new("e") };
            folder.slots.push(Slot::new(&listed.key, folder.objects.push(&listed).unwrap()));
        }
        folder.slots.sort_unstable();
        folder
    }

    #[test]
    fn every_object_of_many_is_found_by_its_key_and_no_other_is() {
        let folder = folder((0..50_000).map(|n| format!("key-{n}")));
        let mut numbers = folder.marks();
        for n in 0..50_000 {
            let (number, listed) = folder.find(&format!("key-{n}")).unwrap().expect("it is there");
            assert_eq!(listed.size, n);
            assert!(!std::mem::replace(&mut numbers[number], true), "{number} twice");
        }
        assert!((50_000..60_000).all(|n| folder.find(&format!("key-{n}")).unwrap().is_none()));
    }

    #[test]
    fn keys_of_one_hash_are_told_apart() {
        let mut hashes = std::collections::HashMap::new();
        let (one, other) = (0..)
            .find_map(|n| {
                let key = format!("key-{n}");
                hashes.insert(hash(&key), key.clone()).map(|earlier| (earlier, key))
            })
            .expect("24 bits do not last for ever");
        let found = |folder: &Folder, key: &str| folder.find(key).unwrap().map(|(_, listed)| listed.key);
        let both = folder([one.clone(), other.clone()].into_iter());
        assert_eq!((found(&both, &one), found(&both, &other)), (Some(one.clone()), Some(other.clone())));
        let alone = folder([one].into_iter());
        assert_eq!(found(&alone, &other), None);
    }

    #[test]
    fn the_others_come_in_the_order_of_the_listing() {
        let folder = folder(["c", "b", "a", "d"].map(str::to_owned).into_iter());
        let mut met = folder.marks();
        met[folder.find("b").unwrap().unwrap().0] = true;
        let others: Vec<String> = folder.others(&met).map(|listed| listed.unwrap().key).collect();
        assert_eq!(others, ["c", "a", "d"]);
    }
}
