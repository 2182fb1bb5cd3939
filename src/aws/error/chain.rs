//! Collects the hints of an error chain.

use std::error::Error;

use super::call::{CallError, Kind};
use crate::model::failure::{Failure, RUN_AGAIN, cause};

/// The hints of all failures in the chain, outermost first, each once. The remedy of a denied call precedes all others:
/// the call is denied again until that is done.
pub fn hints(error: &anyhow::Error) -> Vec<&str> {
    let denied = cause::<CallError>(error).filter(|call| matches!(call.kind, Kind::Denied | Kind::Credentials));
    let mut found: Vec<&str> = denied.map(|call| &*call.hint).into_iter().collect();
    collect(error, &mut found);
    if denied.is_some() {
        found.retain(|hint| *hint != RUN_AGAIN);
    }
    found
}

/// The messages of an error with its hints in parentheses, for documents and warnings, which have one line.
pub fn with_hints(error: &anyhow::Error) -> String {
    match hints(error).as_slice() {
        [] => format!("{error:#}"),
        hints => format!("{error:#} ({})", hints.join("; ")),
    }
}

fn collect<'a>(error: &'a anyhow::Error, found: &mut Vec<&'a str>) {
    for cause in error.chain() {
        for hint in hints_of(cause) {
            if !found.contains(&hint) {
                found.push(hint);
            }
        }
        if let Some(below) = cause.downcast_ref().and_then(Failure::hinted) {
            collect(below, found);
        }
    }
}

fn hints_of<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a str> {
    let of_call = error.downcast_ref::<CallError>().map(|error| &*error.hint);
    error.downcast_ref().into_iter().flat_map(Failure::next_steps).chain(of_call)
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;
    use crate::aws::error::Side;
    use crate::model::failure::Hint;

    #[test]
    fn every_hint_of_a_chain_is_found_once() {
        let inner: anyhow::Result<()> = Err(anyhow::Error::new(Failure::new("no key").hint("Give a key")));
        let outer = inner.context("signing").hint("Run again").context("writing the record").hint("Give a key");
        assert_eq!(hints(&outer.unwrap_err()), ["Give a key", "Run again"]);
        assert!(hints(&anyhow!("cause")).is_empty());
    }

    #[test]
    fn a_denied_call_is_granted_first_and_not_only_run_again() {
        let call = |kind, hint: &str| CallError {
            side: Side::Target,
            call: "kms:Sign",
            resource: "key".into(),
            kind,
            code: None,
            message: "no".into(),
            request_id: None,
            bucket_region: None,
            hint: hint.into(),
        };
        let failed = |kind, hint: &str| -> anyhow::Error {
            let failed: anyhow::Result<()> = Err(call(kind, hint).into());
            failed.hint("Sign it").context("signing").hint(RUN_AGAIN).unwrap_err()
        };
        assert_eq!(hints(&failed(Kind::Denied, "Grant kms:Sign")), ["Grant kms:Sign", "Sign it"]);
        assert_eq!(hints(&failed(Kind::Unavailable, "Wait")), [RUN_AGAIN, "Sign it", "Wait"]);
    }
}
