//! Proves with which request a version without a record was registered, although its source or somebody in the target
//! account has changed its metadata since.

use serde_json::Value;

use crate::model::destination::Destination;
use crate::model::field::Document;
use crate::model::package::Package;
use crate::model::promoted::REQUEST_KEY;
use crate::plan::Plan;
use crate::plan::provenance::{mark, marked, own_digest};
use crate::register::existing::ExistingPromotions;
use crate::register::sync::edits;
use crate::schema::comparison::differences;

const METADATA: &str = "CustomerMetadataProperties";
const SPECIFICATIONS: &str = "AdditionalInferenceSpecifications";
/// The members that an Update replaces as a whole and that do not change what is deployed.
const WHOLE: [&str; 2] = ["ModelLifeCycle", "ModelCard"];
/// The greatest number of differing values. Each doubles the number of requests to try.
const MOST: usize = 10;

/// The request that a version was registered with, if it is not the request of today.
pub(in crate::run) struct Proved {
    /// The request. Its digest is the one in the metadata of the version.
    pub request: Document,
    /// The source version with the values of the request. If these are not its values of today, it has another
    /// fingerprint, so that a sync compares every field.
    pub package: Package,
}

impl Proved {
    /// The request of the current promotion, if its folder is that of the plan and it differs from the plan's request.
    /// Nothing if no request is proved, or if the version differs from its request in more than metadata and added
    /// inference specifications: then somebody may have derived it from a promoted version.
    pub fn of(
        destination: &Destination,
        package: &Package,
        plan: &Plan,
        existing: &ExistingPromotions,
    ) -> Option<Self> {
        let current = existing.current()?;
        let (described, digest) = (&current.description, marked(&current.description)?);
        let is_in_folder = || destination.layout_of(current, &plan.source).as_ref() == Some(&plan.layout);
        if differences(&plan.request, described).is_empty() || !is_in_folder() {
            return None;
        }
        let values = differing(&plan.request, described);
        if values.len() > MOST {
            return None;
        }
        let variants = (0..1_usize << values.len()).map(|variant| {
            let chosen = values.iter().enumerate().filter(move |(index, _)| (variant >> index) & 1 == 1);
            chosen.map(|(_, value)| value).collect::<Vec<_>>()
        });
        for chosen in variants {
            let mut request = plan.request.clone();
            chosen.iter().for_each(|value| value.set_in(&mut request));
            if own_digest(&request) != digest {
                continue;
            }
            mark(&mut request);
            if edits(&request, plan.source_uri.as_deref(), described).iter().any(|edit| edit.alters_promotion()) {
                return None;
            }
            let package = package.with(|description| chosen.iter().for_each(|value| value.set_in(description)));
            return Some(Self { request, package });
        }
        None
    }
}

/// A value of a version that differs from the plan's.
enum Differing<'a> {
    Member {
        member: &'static str,
        described: Option<&'a Value>,
    },
    Metadata {
        key: &'a str,
        described: Option<&'a Value>,
    },
    /// The source has added inference specifications: the version has those with these names.
    Specifications(Vec<&'a str>),
}

impl Differing<'_> {
    fn set_in(&self, document: &mut Document) {
        match self {
            Self::Member { member, described } => set(document, member, *described),
            Self::Metadata { key, described } => {
                if let Value::Object(metadata) = document.entry(METADATA).or_insert_with(|| Document::new().into()) {
                    set(metadata, key, *described);
                }
            }
            Self::Specifications(names) => {
                let Some(Value::Array(all)) = document.get_mut(SPECIFICATIONS) else { return };
                all.retain(|one| name(one).is_some_and(|name| names.contains(&name)));
                if all.is_empty() {
                    document.shift_remove(SPECIFICATIONS);
                }
            }
        }
    }
}

fn name(specification: &Value) -> Option<&str> {
    specification.get("Name").and_then(Value::as_str)
}

fn set(document: &mut Document, member: &str, value: Option<&Value>) {
    match value {
        Some(value) => drop(document.insert(member.into(), value.clone())),
        None => drop(document.shift_remove(member)),
    }
}

fn differing<'a>(planned: &'a Document, described: &'a Document) -> Vec<Differing<'a>> {
    let metadata = |document: &'a Document| document.get(METADATA).and_then(Value::as_object);
    let (here, there) = (metadata(planned), metadata(described));
    let keys = here
        .into_iter()
        .flatten()
        .chain(there.into_iter().flatten().filter(|(key, _)| here.is_none_or(|here| !here.contains_key(*key))));
    let of_key = |key: &'a str| {
        let (planned, described) = (here.and_then(|here| here.get(key)), there.and_then(|there| there.get(key)));
        (planned != described).then_some(Differing::Metadata { key, described })
    };
    let of_member = |member: &'static str| {
        let (planned, described) = (planned.get(member), described.get(member));
        (planned != described).then_some(Differing::Member { member, described })
    };
    let keys = keys.map(|(key, _)| key.as_str()).filter(|key| *key != REQUEST_KEY);
    let members = WHOLE.into_iter().filter_map(of_member);
    keys.filter_map(of_key).chain(members).chain(fewer_specifications(planned, described)).collect()
}

/// The inference specifications that both have, if the version has not all that are planned.
fn fewer_specifications<'a>(planned: &'a Document, described: &'a Document) -> Option<Differing<'a>> {
    let names = |document: &'a Document| -> Vec<&'a str> {
        document.get(SPECIFICATIONS).and_then(Value::as_array).into_iter().flatten().filter_map(name).collect()
    };
    let (planned, described) = (names(planned), names(described));
    let both: Vec<&str> = planned.iter().copied().filter(|name| described.contains(name)).collect();
    (both.len() < planned.len()).then_some(Differing::Specifications(both))
}
