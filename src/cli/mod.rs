//! The command line: arguments come in, a verb runs, an exit code comes out.

mod copy_artifacts;
mod exit;
mod find_latest;
mod full;
mod output;
mod progress;
mod record_file;
mod records;
mod register;
mod registering;
mod renewing;
mod settings;
mod signing;
mod stack;
mod status;
mod steps;
mod verify;
mod withdrawing;

use std::ffi::OsString;

use clap::{Command, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use exit::Exit;
use output::Printer;
use tokio::signal::unix::{SignalKind, signal};

use crate::copy::OpenUploads;

/// Promote SageMaker model packages from one AWS account to another.
///
/// Takes the latest Approved version of a model package group in the source account and makes it available in the
/// target account: every artifact it refers to is copied and verified, every field is carried over, and the version
/// is registered once and approved last.
#[derive(Debug, Parser)]
#[command(name = "promote", version, max_term_width = 110, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    FindLatest(find_latest::FindLatest),
    CopyArtifacts(copy_artifacts::CopyArtifacts),
    Register(register::Register),
    Full(Box<full::Full>),
    Verify(Box<verify::Verify>),
    Status(Box<status::Status>),
    Stack(stack::Stack),
}

/// Parses the arguments, runs the verb and says how it ended.
pub async fn run(arguments: impl Iterator<Item = OsString>) -> Exit {
    let matches = without_empty_variables(Cli::command()).try_get_matches_from(arguments);
    match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli.run().await,
        Err(error) => output::usage(&error),
    }
}

impl Cli {
    async fn run(self) -> Exit {
        let uploads = OpenUploads::default();
        let printer = match Printer::new(self.verb.output()) {
            Ok(printer) => printer,
            Err(error) => return output::failed(&error),
        };
        let verb = async {
            match self.verb {
                Verb::FindLatest(verb) => verb.run(&printer).await,
                Verb::CopyArtifacts(verb) => verb.run(&printer, &uploads).await,
                Verb::Register(verb) => verb.run(&printer).await,
                Verb::Full(verb) => verb.run(&printer, &uploads).await,
                Verb::Verify(verb) => verb.run(&printer).await,
                Verb::Status(verb) => verb.run(&printer).await,
                Verb::Stack(verb) => verb.run(&printer),
            }
        };
        tokio::select! {
            ended = verb => ended.unwrap_or_else(|error| output::failed(&error)),
            signal = interruption() => clean_up(signal, &uploads, &printer).await,
        }
    }
}

impl Verb {
    /// How a document is to be printed; nothing where the verb prints none.
    fn output(&self) -> Option<&settings::OutputArgs> {
        match self {
            Self::FindLatest(verb) => Some(&verb.output),
            Self::CopyArtifacts(verb) => Some(&verb.output),
            Self::Register(verb) => Some(&verb.output),
            Self::Full(verb) => Some(&verb.output),
            Self::Verify(verb) => Some(&verb.output),
            Self::Status(verb) => Some(&verb.output),
            Self::Stack(_) => None,
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn interruption() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

async fn clean_up(signal: &str, uploads: &OpenUploads, printer: &Printer) -> Exit {
    for left in uploads.abort_all().await {
        printer.say(&format!("an upload stays open until the next run: {left}"));
    }
    printer.say(&format!("{signal}: stopped; finished copies stay, and the next run takes them up"));
    Exit::Interrupted
}

/// A variable that is set to nothing counts as unset: pipelines pass their optional inputs that way. Help names the
/// variables and not what is in them.
fn without_empty_variables(command: Command) -> Command {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_variable_of_its_own_name() {
        let command = Cli::command();
        let forms = command.get_subcommands().flat_map(Command::get_subcommands);
        for verb in command.get_subcommands().chain(forms) {
            for argument in verb.get_arguments().filter(|a| !matches!(a.get_id().as_str(), "help" | "version")) {
                let flag = argument.get_long().unwrap_or_default();
                let variable = format!("PROMOTE_{}", flag.to_uppercase().replace('-', "_"));
                let env = argument.get_env().and_then(|name| name.to_str()).unwrap_or_default();
                assert_eq!(env, variable, "--{flag} of {}", verb.get_name());
                assert!(argument.get_help().is_some(), "--{flag} of {} has no help", verb.get_name());
            }
        }
    }
}
