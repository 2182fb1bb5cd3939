//! The environment variables that set flags.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, Error};

use super::stack;

/// Treats empty variables as unset: pipelines pass unset optional inputs as empty variables. Hides the values of
/// variables in help.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let of_the_stack = command.get_name() == "stack";
    command
        .mut_args(|argument| argument.hide_env_values(true))
        .mut_subcommands(move |command| if of_the_stack { stack::with_other_variables(command) } else { command })
        .mut_args(|argument| match argument.get_env().map(is_not_empty) {
            Some(false) => argument.env(None::<&str>),
            Some(true) | None => argument,
        })
        .mut_subcommands(without_empty_variables)
}

/// False if a variable is set but empty. Help names the variables that are not set.
fn is_not_empty(name: &std::ffi::OsStr) -> bool {
    std::env::var_os(name).is_none_or(|value| !value.is_empty())
}

/// Names the variable in an error about a value that a variable has set. clap names the flag, which the user has not
/// typed.
pub(super) fn with_variables(mut error: Error, command: &Command, arguments: &[OsString]) -> Error {
    let verbs = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    let verb = verbs.fold(command, |command, word| command.find_subcommand(word).unwrap_or(command));
    for kind in [ContextKind::InvalidArg, ContextKind::PriorArg] {
        let Some(ContextValue::String(name)) = error.get(kind) else { continue };
        let is_named = |argument: &&Arg| argument.get_long().is_some_and(|long| is_flag(name, long));
        let Some(variable) = verb.get_arguments().find(is_named).and_then(|argument| variable(argument, arguments))
        else {
            continue;
        };
        let renamed = format!("{variable}', the variable of '{name}");
        error.insert(kind, ContextValue::String(renamed));
    }
    error
}

/// The variable that sets an argument, if no flag does.
fn variable(argument: &Arg, arguments: &[OsString]) -> Option<String> {
    let long = argument.get_long()?;
    let typed = |word: &OsString| word.to_str().is_some_and(|word| is_flag(word, long));
    let name = argument.get_env()?;
    (std::env::var_os(name).is_some() && !arguments.iter().any(typed)).then(|| name.to_string_lossy().into_owned())
}

/// Whether a word is `--flag`, with or without a value.
fn is_flag(word: &str, long: &str) -> bool {
    let rest = word.strip_prefix("--").and_then(|word| word.strip_prefix(long));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', ' ']))
}
