//! Compares what a plan fixes with what a later run finds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::Result;
use serde_json::Value;

use super::facts::ArtifactFacts;
use crate::model::field::{Document, each_leaf};
use crate::model::location::Location;
use crate::model::secrets::masked;
use crate::plan::artifact::Artifact;
use crate::store::List;

/// What a plan fixes of an artifact.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    source: Location,
    target: Location,
    bytes: u64,
    etag: String,
}

impl From<ArtifactFacts> for Fixed {
    fn from(facts: ArtifactFacts) -> Self {
        let ArtifactFacts { source, target, bytes, etag, .. } = facts;
        Self { source, target, bytes, etag }
    }
}

impl From<Artifact> for Fixed {
    fn from(artifact: Artifact) -> Self {
        let (bytes, etag) = (artifact.bytes(), artifact.source.etag.as_str().to_owned());
        Self { source: artifact.source.location, target: artifact.target, bytes, etag }
    }
}

/// What a plan fixes of each artifact of a document.
pub(super) fn fixed(artifacts: &List<ArtifactFacts>) -> impl Iterator<Item = Result<Fixed>> + '_ {
    artifacts.iter().map(|artifact| artifact.map(Fixed::from))
}

/// The first difference of two lists of artifacts, both ordered by bucket and key.
pub(super) fn other_artifact(
    planned: impl Iterator<Item = Result<Fixed>>,
    mut now: impl Iterator<Item = Result<Fixed>>,
) -> Result<Option<String>> {
    for then in planned {
        let (then, is) = (then?, now.next().transpose()?);
        return Ok(Some(match is {
            Some(is) if is == then => continue,
            Some(is) if (&is.source, is.bytes, &is.etag) == (&then.source, then.bytes, &then.etag) => {
                format!("the artifact {} goes to {}, and was planned for {}", is.source, is.target, then.target)
            }
            Some(is) if is.source == then.source => format!("the artifact is {is}, and was planned as {then}"),
            Some(is) if is.source < then.source => added(&is),
            Some(_) | None => {
                format!("the plan has the artifact {}, but the version no longer refers to it", then.source)
            }
        }));
    }
    Ok(now.next().transpose()?.as_ref().map(added))
}

fn added(artifact: &Fixed) -> String {
    format!("not in the plan: the artifact {}", artifact.source)
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes, ETag {})", self.source, self.bytes, self.etag)
    }
}

/// The leaves of a document that differ, each as a sentence.
pub(super) fn compared(what: &str, planned: &Document, now: &Document) -> Vec<String> {
    let (planned, now) = (leaves(planned), leaves(now));
    let names: BTreeSet<&String> = planned.keys().chain(now.keys()).collect();
    let text = |name: &str, value: Option<&Value>| {
        value.map_or_else(|| "not set".to_owned(), |value| masked(name, value).to_string())
    };
    let differing = names.into_iter().filter(|name| planned.get(*name) != now.get(*name));
    let found = differing.map(|name| {
        let (is, was) = (text(name, now.get(name)), text(name, planned.get(name)));
        format!("{what}{name} is {is}, and was planned as {was}")
    });
    found.collect()
}

fn leaves(document: &Document) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    each_leaf(document, &mut |field, value| {
        found.insert(field.to_string(), value.clone());
    });
    found
}
