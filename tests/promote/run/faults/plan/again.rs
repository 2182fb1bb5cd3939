//! What was at the target when the clean run began, and whether that run has copied any of it again.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::run::faults::proof::artifacts;
use crate::support::calls::Call;
use crate::support::{Body, Cloud};
use crate::world::*;

/// Calls that bring bytes of an object to the target.
const WRITES: [&str; 4] = ["CopyObject", "PutObject", "UploadPart", "UploadPartCopy"];

/// The state at the target.
pub struct Before {
    /// How many calls there were.
    calls: usize,
    /// By key, the bytes that are there: of the whole object, or of the parts of the fullest upload.
    there: BTreeMap<String, (u64, u64)>,
}

impl Before {
    /// The state now.
    pub fn of(cloud: &Cloud) -> Before {
        let mut there = BTreeMap::new();
        for artifact in artifacts(cloud) {
            let source = cloud.object(&artifact.bucket, &artifact.key).expect("it is listed").body;
            let size = source.len();
            let had = match cloud.object(SERVING, &artifact.copy) {
                Some(_) => size,
                None => in_parts(cloud, &artifact.copy, &source),
            };
            // A finished object of no bytes must not be written again either.
            if had > 0 || cloud.object(SERVING, &artifact.copy).is_some() {
                there.insert(artifact.copy, (had, size));
            }
        }
        Before { calls: cloud.calls().len(), there }
    }

    /// Of what was there, nothing was written since.
    pub fn nothing_is_copied_again(&self, cloud: &Cloud) -> Result<()> {
        let calls = cloud.calls();
        for (key, (had, size)) in &self.there {
            let at = format!("{SERVING}/{key}");
            // A copy that is denied, to be streamed then, brings nothing.
            let writes = calls[self.calls..].iter().filter(|call| call.resource == at && call.status != 403);
            let writes: Vec<&Call> = writes.filter(|call| WRITES.contains(&call.operation.as_str())).collect();
            let bytes: u64 = writes.iter().map(|call| written(call, *size)).sum();
            let names: Vec<&str> = writes.iter().map(|call| call.operation.as_str()).collect();
            ensure!(had < size || names.is_empty(), "{key} was there, and was written again: {names:?}");
            ensure!(bytes <= size - had, "{had} of {size} bytes of {key} were there, {bytes} were written: {names:?}");
        }
        Ok(())
    }
}

/// The bytes in the fullest open upload of a key. One that has the last part only does not count: its size may be any,
/// so nothing tells which object it is of.
fn in_parts(cloud: &Cloud, key: &str, source: &Body) -> u64 {
    let is_last = |part: &Body| *part == source.range(source.len().saturating_sub(part.len()), part.len());
    let uploads = cloud.uploads(SERVING).into_iter().filter(|upload| upload.key == key);
    let telling = uploads.filter(|upload| upload.parts.values().any(|part| !is_last(&part.body)));
    telling.map(|upload| upload.parts.values().map(|part| part.body.len()).sum()).max().unwrap_or(0)
}

fn written(call: &Call, size: u64) -> u64 {
    let range = call.headers.get("x-amz-copy-source-range").and_then(|text| text.strip_prefix("bytes="));
    let bounds = range.and_then(|text| text.split_once('-'));
    match (call.operation.as_str(), bounds.map(|(first, last)| (first.parse::<u64>(), last.parse::<u64>()))) {
        ("UploadPartCopy", Some((Ok(first), Ok(last)))) => last - first + 1,
        ("CopyObject" | "UploadPartCopy", _) => size,
        _ => call.bytes_in,
    }
}
