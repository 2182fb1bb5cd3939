//! Finds the request that a version was registered with, from its description alone.

use crate::model::approval::ApprovalStatus;
use crate::model::field::{Document, Field};
use crate::plan::draft::carried;
use crate::plan::provenance::{is_digest_of, marked};
use crate::schema::comparison::filled_in;

/// The greatest number of members that may be filled in. Each doubles the number of requests to try.
const MOST: usize = 10;
const GROUP: &str = "ModelPackageGroupName";

/// The request of a version whose fields have the digest that its metadata names. Nothing for a version that somebody has
/// derived from a promoted one, or edited.
pub fn requested(description: &Document) -> Option<Document> {
    let digest = marked(description);
    let mut request = carried(description);
    request.insert(GROUP.into(), description.get(GROUP)?.clone());
    ApprovalStatus::PendingManualApproval.state_in(&mut request);
    // Whether the request or SageMaker has set these is not known.
    let filled = filled_in(&request);
    let mut names: Vec<&str> = filled.iter().filter_map(Field::name).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > MOST {
        return None;
    }
    let without = |variant: usize| {
        let is_left_out = |field: &&Field| {
            let of_name = |(index, name): (usize, &&str)| (variant >> index) & 1 == 1 && field.name() == Some(*name);
            names.iter().enumerate().any(of_name)
        };
        let mut request = request.clone();
        for field in filled.iter().filter(is_left_out) {
            field.remove(&mut request);
        }
        request
    };
    (0..1_usize << names.len()).map(without).find(|request| is_digest_of(digest, request))
}
