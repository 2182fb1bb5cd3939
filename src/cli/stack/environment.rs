//! Where the stack is and what it is called, from flags and from what SeedFarmer says; and remarks on standard error.

use std::env;

use anyhow::{Context, Result};

use crate::cli::printer::say;
use crate::model::arn::{AccountId, Region};
use crate::stack::agreement::Conflict;
use crate::stack::inputs::Inputs;
use crate::stack::names::StackName;

/// Prints a remark on standard error.
pub(super) fn note(text: &str) {
    say(&format!("note: {text}"));
}

/// The account and region of the stack, which the command line requires.
pub(super) fn stack_environment(inputs: &Inputs) -> Result<(&AccountId, &Region)> {
    let account = inputs.access.target_account.as_ref().context("`--target-account` is required")?;
    Ok((account, inputs.access.target_region.as_ref().context("`--target-region` is required")?))
}

/// `--stack-name`, or the name that SeedFarmer expects, if it says one.
pub(super) fn stack_name(inputs: &Inputs) -> Result<Option<StackName>, Conflict> {
    if let Some(name) = &inputs.module.stack_name {
        return Ok(Some(name.clone()));
    }
    let wrong = |error| Conflict::new("--stack-name", format!("{error}"), "Pass another name with `--stack-name`");
    seedfarmer_name().map(|name| name.parse().map_err(wrong)).transpose()
}

/// The name that SeedFarmer gives the stack of a module: `<project>-<deployment>-<module>`.
pub(super) fn seedfarmer_name() -> Option<String> {
    let parts = ["PROJECT", "DEPLOYMENT", "MODULE"].map(|part| {
        let name = format!("SEEDFARMER_{part}_NAME");
        env::var(name).ok().filter(|value| !value.is_empty())
    });
    let [Some(project), Some(deployment), Some(module)] = parts else { return None };
    Some(format!("{project}-{deployment}-{module}"))
}
