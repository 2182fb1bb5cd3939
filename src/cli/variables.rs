//! The environment variables that set flags.

use clap::Command;

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
