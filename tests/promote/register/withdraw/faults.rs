//! The k-th call of a withdrawal fails, for every k: the next run completes it.

use super::*;
use crate::support::calls::Call;

/// A new approved version, one to be withdrawn, and one of somebody else.
fn to_be_withdrawn() -> (Cloud, Value) {
    let cloud = two_promoted();
    let other = theirs(&cloud);
    reject(&cloud, 2);
    (cloud, other)
}

#[test]
fn whichever_call_fails_the_next_run_completes_the_withdrawal() {
    let (clean, _) = to_be_withdrawn();
    let before = clean.calls().len();
    promote(&clean, &[]).document();
    let calls = clean.calls().len() - before;
    assert!(calls >= 8, "{calls}");
    let broken = Failure::Status(500, "InternalError", "We encountered an internal error");
    let denied = Failure::Status(403, "AccessDeniedException", "Access Denied");
    let all =
        (1..=calls).flat_map(|k| [broken, denied, Failure::Reset, Failure::ResetAfter].map(|failure| (k, failure)));
    crate::run::faults::each(crate::run::faults::AT_ONCE, &all.collect::<Vec<_>>(), |(k, failure)| {
        let (cloud, other) = to_be_withdrawn();
        let before = cloud.calls().len();
        cloud.fail(Moment::nth(*k), *failure);
        let first = promote(&cloud, &[]);
        let call = cloud.calls()[before + k - 1].clone();
        let failed = format!("{} on {}, {failure:?}", call.operation, call.resource);
        let updated = cloud.calls()[before..before + k - 1].iter().any(|call| call.operation == "UpdateModelPackage");
        assert_eq!(first.code, expected(&call, *failure, updated), "{failed}: {}", first.stderr);
        if first.code == 1 {
            assert!(first.stderr.contains("error: "), "call {k}: {}", first.stderr);
        }
        cloud.heal();
        let second = promote(&cloud, &[]);
        assert_eq!(second.code, 0, "call {k}, {failure:?}: {}{}", first.stderr, second.stderr);
        assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Approved"], "call {k}, {failure:?}: {}", first.stderr);
        assert_eq!(cloud.package(&copy(3)), Some(other));
        let said = promoted(&cloud)[1]["ApprovalDescription"].clone();
        assert!(said.as_str().is_some_and(|said| said.starts_with("promote: withdrawn: ")), "{said}");
        Ok(())
    });
}

/// The exit code of a run in which this call fails; `updated`: after the withdrawal.
fn expected(call: &Call, failure: Failure, updated: bool) -> i32 {
    let denied = matches!(failure, Failure::Status(403, ..));
    match call.operation.as_str() {
        // The version is withdrawn, but its record is missing.
        "PutObject" => 3,
        // The version is withdrawn, but that could not be confirmed.
        "DescribeModelPackage" if updated && call.resource == copy(2) => 3,
        // The target group is needed only for a new version.
        "DescribeModelPackageGroup" => 0,
        // Images are looked up for the record only.
        "BatchGetImage" if denied => 0,
        // A source version that cannot be read is not a rejected one.
        "DescribeModelPackage" if denied && call.resource == source(2) => 0,
        _ => 1,
    }
}
