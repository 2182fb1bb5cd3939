//! Parses the arguments, runs the verb and returns its exit code.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::arguments::OutputArgs;
use super::copy_artifacts::CopyArtifacts;
use super::exit::{self, Exit};
use super::find_latest::FindLatest;
use super::full::Full;
use super::generate::{Completions, Man};
use super::printer::{Printer, failed, say, usage};
use super::register::Register;
use super::signals::Signals;
use super::stack::Stack;
use super::status::Status;
use super::step_before::StepBefore;
use super::terminal::Terminal;
use super::variables::{with_variables, without_empty_variables};
use super::verify::Verify;
use super::withdraw::Withdraw;
use crate::record::Build;
use crate::run::Context;

/// Promote SageMaker model packages from one AWS account to another.
///
/// Promotes the latest Approved version of a model package group in the source account into a group of the target
/// account. Every artifact that the version refers to is copied and verified, every field is carried over, and the
/// version is registered once and approved last.
#[derive(Debug, Parser)]
#[command(name = "promote", version, max_term_width = 110, after_help = exit::help())]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    FindLatest(FindLatest),
    CopyArtifacts(CopyArtifacts),
    Register(Register),
    Full(Box<Full>),
    Withdraw(Box<Withdraw>),
    Verify(Box<Verify>),
    Status(Box<Status>),
    Stack(Stack),
    Completions(Completions),
    Man(Man),
}

/// Parses the arguments, runs the verb and returns its exit code.
pub async fn run(arguments: impl Iterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.collect();
    let command = without_empty_variables(Cli::command());
    let matches = command.clone().try_get_matches_from(&arguments);
    match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli.verb.run().await.unwrap_or_else(|error| failed(&error)),
        Err(error) => usage(&with_variables(error, &command, &arguments)),
    }
}

impl Verb {
    async fn run(self) -> Result<Exit> {
        let printer = Printer::new(self.output())?;
        let printer = &printer;
        match self {
            Self::FindLatest(verb) => interruptible(verb.context(), async |c| verb.run(c, printer).await).await,
            Self::Full(verb) => interruptible(verb.context(), async |c| verb.run(c, printer).await).await,
            Self::Withdraw(verb) => interruptible(verb.context(), async |c| verb.run(c, printer).await).await,
            Self::Verify(verb) => interruptible(verb.context(), async |c| verb.run(c, printer).await).await,
            Self::Status(verb) => interruptible(verb.context(), async |c| verb.run(c, printer).await).await,
            Self::CopyArtifacts(verb) => {
                let before = match read_step_before(verb.package.step_before("copy-artifacts")).await? {
                    Ok(before) => before,
                    Err(exit) => return Ok(exit),
                };
                interruptible(verb.context(&before), async |c| verb.run(before, c, printer).await).await
            }
            Self::Register(verb) => {
                let before = match read_step_before(verb.package.step_before("register")).await? {
                    Ok(before) => before,
                    Err(exit) => return Ok(exit),
                };
                interruptible(verb.context(&before), async |c| verb.run(before, c, printer).await).await
            }
            Self::Stack(verb) => verb.run(),
            Self::Completions(verb) => verb.run(Cli::command()),
            Self::Man(verb) => verb.run(Cli::command()),
        }
    }

    /// The output flags; nothing if the verb prints no document.
    fn output(&self) -> Option<&OutputArgs> {
        match self {
            Self::FindLatest(verb) => Some(&verb.output),
            Self::CopyArtifacts(verb) => Some(&verb.output),
            Self::Register(verb) => Some(&verb.output),
            Self::Full(verb) => Some(&verb.output),
            Self::Withdraw(verb) => Some(&verb.output),
            Self::Verify(verb) => Some(&verb.output),
            Self::Status(verb) => Some(&verb.output),
            Self::Stack(_) | Self::Completions(_) | Self::Man(_) => None,
        }
    }
}

/// How long an interrupted run may take to abort its uploads.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// Runs a verb until it ends or is interrupted. Aborts the multipart uploads of an interrupted verb, until a second
/// signal arrives.
async fn interruptible(context: Context, verb: impl AsyncFnOnce(&Context) -> Result<Exit>) -> Result<Exit> {
    let mut signals = Signals::listen()?;
    let terminal = Arc::new(Terminal::default());
    let context = context.with_observer(terminal.clone()).with_build(build());
    // Boxed: the compiler limits how deep futures nest.
    let signal = match until_interrupted(Box::pin(verb(&context)), &mut signals).await {
        Ok(ended) => return ended,
        Err(signal) => signal,
    };
    terminal.stop();
    let cleaned = tokio::select! {
        () = context.abort() => true,
        () = tokio::time::sleep(CLEAN_UP) => false,
        _ = signals.next() => false,
    };
    let rest = if cleaned { "finished copies stay" } else { "unfinished uploads stay until a later run aborts them" };
    Ok(interrupted(signal, rest))
}

/// Reads the document of the step before, or waits for the signal that arrives first.
async fn read_step_before(step: impl Future<Output = Result<StepBefore>>) -> Result<Result<StepBefore, Exit>> {
    match until_interrupted(step, &mut Signals::listen()?).await {
        Ok(before) => before.map(Ok),
        Err(signal) => Ok(Err(interrupted(signal, "finished copies stay"))),
    }
}

/// Waits for `work`, or for the signal that arrives first.
async fn until_interrupted<T>(work: impl Future<Output = T>, signals: &mut Signals) -> Result<T, &'static str> {
    tokio::select! {
        done = work => Ok(done),
        signal = signals.next() => Err(signal),
    }
}

fn interrupted(signal: &str, rest: &str) -> Exit {
    say(&format!("{signal}: interrupted; {rest}. Run again to continue"));
    Exit::Interrupted
}

/// The CodeBuild build that runs promote, if there is one.
fn build() -> Option<Build> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(Build {
        arn: variable("CODEBUILD_BUILD_ARN")?,
        id: variable("CODEBUILD_BUILD_ID"),
        number: variable("CODEBUILD_BUILD_NUMBER"),
        initiator: variable("CODEBUILD_INITIATOR"),
    })
}

#[cfg(test)]
mod tests {
    use clap::Command;

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
            let is_flag = |a: &&clap::Arg| !a.is_positional() && !matches!(a.get_id().as_str(), "help" | "version");
            for argument in verb.get_arguments().filter(is_flag) {
                let flag = argument.get_long().unwrap_or_default();
                let variable = format!("PROMOTE_{}", flag.to_uppercase().replace('-', "_"));
                let env = argument.get_env().and_then(|name| name.to_str()).unwrap_or_default();
                assert_eq!(env, variable, "--{flag} of {}", verb.get_name());
                assert!(argument.get_help().is_some(), "--{flag} of {} has no help", verb.get_name());
            }
        }
    }
}
