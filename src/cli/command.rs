//! Parses the arguments, runs the verb and returns its exit code.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::arguments::OutputArgs;
use super::copy_artifacts::CopyArtifacts;
use super::doctor::Doctor;
use super::exit::{self, Exit};
use super::find_latest::FindLatest;
use super::full::FullArgs;
use super::generate::{Completions, Man};
use super::holding::{HoldArgs, ReleaseArgs, RollbackArgs};
use super::printer::{Printer, usage};
use super::promotions::{Apply, PlanArgs};
use super::register::Register;
use super::running::Running;
use super::stack::Stack;
use super::status::Status;
use super::terminal::Terminal;
use super::variables::{with_variables, without_empty_variables};
use super::verbosity::Verbosity;
use super::verify::Verify;
use super::withdraw::Withdraw;
use crate::model::failure::Failure;

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
    Full(Box<FullArgs>),
    Plan(PlanArgs),
    Apply(Apply),
    Withdraw(Box<Withdraw>),
    Rollback(Box<RollbackArgs>),
    Hold(Box<HoldArgs>),
    Release(Box<ReleaseArgs>),
    Verify(Box<Verify>),
    Status(Box<Status>),
    Doctor(Box<Doctor>),
    Stack(Stack),
    Completions(Completions),
    Man(Man),
}

/// Parses the arguments, runs the verb and returns its exit code.
pub async fn run(arguments: impl Iterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.collect();
    let command = without_empty_variables(Cli::command());
    let matches = command.clone().try_get_matches_from(&arguments);
    match matches.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches))) {
        Ok((cli, matches)) => {
            // The name lives as long as the process, as the thread that ends the process needs it.
            let name = matches.subcommand_name().unwrap_or_default().to_owned().leak();
            cli.verb.run(name).await
        }
        Err(error) => usage(&with_variables(error, &command, &arguments)),
    }
}

impl Verb {
    async fn run(self, name: &'static str) -> Exit {
        let output = self.output();
        let mut printer = Printer::new(output.as_deref());
        let opened = self.refuse_to_overwrite(output.as_deref()).and_then(|()| printer.open_record(output.as_deref()));
        let terminal = Terminal::new(output.as_deref().map_or(Verbosity::default(), OutputArgs::verbosity));
        let running = Running::new(name, printer, terminal);
        let ended = match opened {
            Ok(()) => self.run_with(&running).await,
            Err(error) => Err(error),
        };
        ended.unwrap_or_else(|error| running.fail(&error))
    }

    async fn run_with(self, running: &Running) -> Result<Exit> {
        let printer = &*running.printer;
        match self {
            Self::FindLatest(verb) => running.run(verb.context(), async |c| verb.run(c, running).await).await,
            Self::Full(verb) => running.run(verb.context(), async |c| verb.run(c, running).await).await,
            Self::Plan(verb) => verb.run(running).await,
            Self::Apply(verb) => verb.run(running).await,
            Self::Withdraw(verb) => running.run(verb.context(), async |c| verb.run(c, running).await).await,
            Self::Rollback(verb) => running.run(verb.group.context(), async |c| verb.run(c, printer).await).await,
            Self::Hold(verb) => running.run(verb.group.context(), async |c| verb.run(c, printer).await).await,
            Self::Release(verb) => running.run(verb.group.context(), async |c| verb.run(c, printer).await).await,
            Self::Verify(verb) => running.run(verb.context(), async |c| verb.run(c, running).await).await,
            Self::Status(verb) => running.run(verb.context(), async |c| verb.run(c, running).await).await,
            Self::Doctor(verb) => running.run(verb.context(), async |c| verb.run(c, running).await).await,
            Self::CopyArtifacts(verb) => {
                let Some(before) = running.read_step_before(&verb.package).await? else {
                    return Ok(Exit::Interrupted);
                };
                running.run(verb.context(&before), async |c| verb.run(before, c, printer).await).await
            }
            Self::Register(verb) => {
                let Some(before) = running.read_step_before(&verb.package).await? else {
                    return Ok(Exit::Interrupted);
                };
                running.run(verb.context(&before), async |c| verb.run(before, c, printer).await).await
            }
            Self::Stack(verb) => verb.run(),
            Self::Completions(verb) => verb.run(Cli::command()),
            Self::Man(verb) => verb.run(Cli::command()),
        }
    }

    /// Refuses to write the document over the plan that is carried out, which somebody has reviewed.
    fn refuse_to_overwrite(&self, output: Option<&OutputArgs>) -> Result<()> {
        let plan = match self {
            Self::Full(verb) => verb.plan(),
            Self::Apply(verb) => verb.plan.as_deref(),
            _ => None,
        };
        let (Some(plan), Some(record)) = (plan, output.and_then(|output| output.record.as_deref())) else {
            return Ok(());
        };
        let is_same = |plan: PathBuf| record.canonicalize().is_ok_and(|record| record == plan);
        ensure!(
            !plan.canonicalize().is_ok_and(is_same),
            Failure::new(format!("`--record` would overwrite the plan {}", plan.display()))
                .hint("Pass another file to `--record`")
                .wrong_arguments()
        );
        Ok(())
    }

    /// The output flags; nothing if the verb prints no document.
    fn output(&self) -> Option<Cow<'_, OutputArgs>> {
        let output = match self {
            Self::FindLatest(verb) => &verb.output,
            Self::CopyArtifacts(verb) => &verb.output,
            Self::Register(verb) => &verb.output,
            Self::Full(verb) => &verb.promotion.output,
            Self::Plan(verb) => return Some(Cow::Owned(verb.output())),
            Self::Apply(verb) => &verb.output,
            Self::Withdraw(verb) => &verb.output,
            Self::Rollback(verb) => &verb.group.output,
            Self::Hold(verb) => &verb.group.output,
            Self::Release(verb) => &verb.group.output,
            Self::Verify(verb) => &verb.output,
            Self::Status(verb) => &verb.output,
            Self::Doctor(verb) => verb.output(),
            Self::Stack(_) | Self::Completions(_) | Self::Man(_) => return None,
        };
        Some(Cow::Borrowed(output))
    }
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
