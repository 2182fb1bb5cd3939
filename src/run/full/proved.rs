//! Proves with which request a version without a record was registered, although its source or somebody in the target
//! account has changed its metadata since, or one of them has added inference specifications.

use anyhow::Result;
use serde_json::Value;

use crate::model::destination::Destination;
use crate::model::field::{Document, Field};
use crate::model::package::Package;
use crate::model::promoted::{PromotedVersion, REQUEST_KEY};
use crate::plan::provenance::{mark, marked, own_digest};
use crate::plan::{Plan, Warning};
use crate::register::existing::ExistingPromotions;
use crate::register::sync::{METADATA, SPECIFICATIONS, edits, name_of, names};
use crate::run::promotion::Promotion;
use crate::schema::comparison::differences;

/// The members that an Update replaces as a whole and that do not change what is deployed.
const WHOLE: [&str; 2] = ["ModelLifeCycle", "ModelCard"];
/// The greatest number of requests to try. Each differing value doubles the number.
const MOST: usize = 1 << 10;

/// The request that a version was registered with, if it is not the request of today.
pub(in crate::run) struct Proved {
    /// The request. Its digest is the one in the metadata of the version.
    request: Document,
    /// The source version with the values of the request. If these are not its values of today, it has another
    /// fingerprint, so that a sync compares every field.
    pub package: Package,
    /// The fields that the source has changed since.
    changed: Vec<Field>,
    /// Whether the source has added inference specifications since.
    has_fewer_specifications: bool,
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
        let is_planned = marked(&plan.request) == Some(digest) && differences(&plan.request, described).is_empty();
        if is_planned || !is_in_folder() {
            return None;
        }
        let values = differing(&plan.request, described);
        let lists = registered_specifications(&plan.request, described);
        if values.len() > MOST.ilog2() as usize || lists.len() << values.len() > MOST {
            return None;
        }
        let (specifications, request, chosen) = lists.into_iter().find_map(|names| {
            let (request, chosen) = with_values(only(&names, &plan.request), &values, digest)?;
            Some((names, request, chosen))
        })?;
        if edits(&request, plan.source_uri.as_deref(), described).iter().any(|edit| edit.alters_promotion()) {
            return None;
        }
        let added = names(&plan.request).into_iter().filter(|name| !specifications.contains(name));
        let added: Vec<Field> = added.map(|name| Field::top(SPECIFICATIONS).key(name)).collect();
        let has_fewer_specifications = !added.is_empty();
        let changed = chosen.iter().map(|value| value.field()).chain(added).collect();
        let package = package.with(|description| {
            if has_fewer_specifications {
                *description = only(&specifications, description);
            }
            chosen.iter().for_each(|value| value.set_in(description));
        });
        Some(Self { request, package, changed, has_fewer_specifications })
    }

    /// The plan of this request. If the source has added inference specifications since, today's plan also has their
    /// artifacts and images. In that case, the version is planned again without them.
    ///
    /// # Errors
    /// It cannot be planned again.
    pub async fn plan(&self, promotion: &Promotion<'_>, today: Plan) -> Result<Plan> {
        let plan = match self.has_fewer_specifications {
            true => Plan { target_group: today.target_group, ..promotion.plan(&self.package).await? },
            false => today,
        };
        Ok(Plan { request: self.request.clone(), ..plan })
    }

    /// What a dry run does not plan: the sync after the version is recorded.
    pub fn not_planned(&self, version: &PromotedVersion) -> Option<Warning> {
        let fields: Vec<String> = self.changed.iter().map(Field::to_string).collect();
        let remark = format!(
            "an earlier run has registered it before its source changed {}: the next run records it as it was \
             registered, and then syncs it",
            fields.join(", ")
        );
        (!fields.is_empty()).then(|| Warning { field: version.arn.to_string(), remark })
    }
}

/// A value of a version that differs from the plan's.
struct Differing<'a> {
    member: &'a str,
    /// The key, if the member is the metadata.
    key: Option<&'a str>,
    described: Option<&'a Value>,
}

impl Differing<'_> {
    fn set_in(&self, document: &mut Document) {
        let Some(key) = self.key else { return set(document, self.member, self.described) };
        if let Value::Object(metadata) = document.entry(self.member).or_insert_with(|| Document::new().into()) {
            set(metadata, key, self.described);
        }
    }

    fn field(&self) -> Field {
        let member = Field::top(self.member);
        self.key.map_or(member.clone(), |key| member.key(key))
    }
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
        (planned != described).then_some(Differing { member: METADATA, key: Some(key), described })
    };
    let of_member = |member: &'static str| {
        let (planned, described) = (planned.get(member), described.get(member));
        (planned != described).then_some(Differing { member, key: None, described })
    };
    let keys = keys.map(|(key, _)| key.as_str()).filter(|key| *key != REQUEST_KEY);
    keys.filter_map(of_key).chain(WHOLE.into_iter().filter_map(of_member)).collect()
}

/// The request with those of the values that give it the digest, and these values.
fn with_values<'a>(
    request: Document,
    values: &'a [Differing<'a>],
    digest: &str,
) -> Option<(Document, Vec<&'a Differing<'a>>)> {
    (0..1_usize << values.len()).find_map(|variant| {
        let chosen = values.iter().enumerate().filter(|(index, _)| (variant >> index) & 1 == 1);
        let chosen: Vec<_> = chosen.map(|(_, value)| value).collect();
        let mut request = request.clone();
        chosen.iter().for_each(|value| value.set_in(&mut request));
        (own_digest(&request) == digest).then(|| {
            mark(&mut request);
            (request, chosen)
        })
    })
}

/// The lists of inference specifications that the version may have been registered with. The first list has every
/// specification that the plan and the version share. Each further list lacks the last item of the list before it, because
/// UpdateModelPackage only appends, and both accounts may have added the same specification since.
fn registered_specifications<'a>(planned: &'a Document, described: &Document) -> Vec<Vec<&'a str>> {
    let has = names(described);
    let both: Vec<&str> = names(planned).into_iter().filter(|name| has.contains(name)).collect();
    (0..=both.len()).rev().map(|count| both[..count].to_vec()).collect()
}

/// The document with the inference specifications of these names only.
fn only(wanted: &[&str], document: &Document) -> Document {
    let mut document = document.clone();
    if let Some(Value::Array(all)) = document.get_mut(SPECIFICATIONS) {
        all.retain(|one| name_of(one).is_some_and(|name| wanted.contains(&name)));
        if all.is_empty() {
            document.shift_remove(SPECIFICATIONS);
        }
    }
    document
}
