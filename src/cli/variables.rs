//! The variables that stand for flags.

use clap::Command;

use super::stack;

/// A variable that is set to nothing counts as unset: pipelines pass their optional inputs that way. Help names the
/// variables and not what is in them.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let of_the_stack = command.get_name() == "stack";
    command
        .mut_args(|argument| argument.hide_env_values(true))
        .mut_subcommands(move |command| if of_the_stack { stack::with_other_variables(command) } else { command })
        .mut_args(|argument| match argument.get_env().map(is_set) {
            Some(false) => argument.env(None::<&str>),
            Some(true) | None => argument,
        })
        .mut_subcommands(without_empty_variables)
}

/// Whether a variable holds anything, or is not there at all: then help can name it.
fn is_set(name: &std::ffi::OsStr) -> bool {
    std::env::var_os(name).is_none_or(|value| !value.is_empty())
}
