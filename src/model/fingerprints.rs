//! Digests of the fields of a description. The document of a step has them, so that the next step can name what has changed.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::field::{Document, each_leaf};
use crate::model::package::sha256;
use crate::model::secrets::{masked, sealed};

/// Hexadecimal digits of each digest. They tell two values of a field apart, and prove nothing.
const DIGITS: usize = 16;
/// Characters of a value that a message has at most.
const SHOWN: usize = 80;
/// Every change of a version changes the first two. The spelling of the others does not matter.
const IGNORED: [&str; 4] = ["LastModifiedTime", "LastModifiedBy", "ModelPackageArn", "ModelPackageGroupName"];

/// The digest of each field, by its path.
pub type Fingerprints = BTreeMap<String, String>;

/// The digests of the fields of a description.
pub fn fingerprints(description: &Document) -> Fingerprints {
    let digests = fields(description).into_iter().map(|(field, value)| {
        let digest = digest(&sealed(&field, &value));
        (field, digest)
    });
    digests.collect()
}

/// The fields that have changed since a description had these digests, each as a line.
pub fn changed_since(then: &Fingerprints, description: &Document) -> Vec<String> {
    let now = fields(description);
    let added = |field: &String| if then.contains_key(field) { "now" } else { "now, and was not set" };
    let is = |(field, value): (&String, &Value)| format!("{field} is {} {}", shown(field, value), added(field));
    let changed = now.iter().filter(|(field, value)| then.get(*field) != Some(&digest(&sealed(field, value))));
    let removed = then.keys().filter(|field| !now.contains_key(*field));
    changed.map(is).chain(removed.map(|field| format!("{field} is not set any more"))).collect()
}

fn fields(description: &Document) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    each_leaf(description, &mut |field, value| {
        if !IGNORED.contains(&field.root()) && !value.is_null() {
            found.insert(field.to_string(), value.clone());
        }
    });
    found
}

fn digest(value: &Value) -> String {
    let mut digest = sha256(&value.to_string());
    digest.truncate(DIGITS);
    digest
}

fn shown(field: &str, value: &Value) -> String {
    let text = masked(field, value).to_string();
    match text.char_indices().nth(SHOWN) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
