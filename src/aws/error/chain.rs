//! Collects the hints of an error chain.

use std::error::Error;

use super::call::CallError;
use crate::model::failure::Failure;

/// The hints of all failures in the chain, outermost first, each once.
pub fn hints(error: &anyhow::Error) -> Vec<&str> {
    let mut found = Vec::new();
    collect(error, &mut found);
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
    use crate::model::failure::Hint;

    #[test]
    fn every_hint_of_a_chain_is_found_once() {
        let inner: anyhow::Result<()> = Err(anyhow::Error::new(Failure::new("no key").hint("Give a key")));
        let outer = inner.context("signing").hint("Run again").context("writing the record").hint("Give a key");
        assert_eq!(hints(&outer.unwrap_err()), ["Give a key", "Run again"]);
        assert!(hints(&anyhow!("cause")).is_empty());
    }
}
