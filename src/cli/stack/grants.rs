//! `promote stack source-grants`: the grants as text, as JSON, or as files with a script for each account.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::environment::{note, stack_environment, stack_name};
use crate::cli::arguments::{Format, text_or_json};
use crate::cli::printer::print;
use crate::cli::wrap::fitted;
use crate::model::arn::RoleArn;
use crate::model::side::Side;
use crate::stack::agreement::Conflict;
use crate::stack::grants::{GrantStep, Grants, Pair, Reader, grants, scripts};
use crate::stack::inputs::Inputs;
use crate::stack::names::StackName;
use crate::stack::source::SourceGroups;

#[derive(Debug, Args)]
pub(super) struct SourceGrants {
    #[command(flatten)]
    groups: GroupInputs,
    /// Role to grant access to, from the stack's output BuildRoleArn; one for each group, or one for all [default: the
    /// roles of --stack-name]
    #[arg(long, env = "PROMOTE_BUILD_ROLE_ARN", value_name = "ARN", value_delimiter = ',', help_heading = "Stack")]
    build_role_arn: Vec<RoleArn>,
    /// Folder to write a file for each policy and a script for each account to; it is created if it does not exist
    #[arg(long, env = "PROMOTE_OUTPUT_DIR", value_name = "DIR", help_heading = "Output")]
    output_dir: Option<PathBuf>,
    /// Format of the output
    #[arg(long, env = "PROMOTE_OUTPUT", value_name = "FORMAT", value_parser = text_or_json(), default_value = "text", help_heading = "Output")]
    output: Format,
}

/// The inputs, with several groups and stacks. The grants do not depend on the target bucket.
#[derive(Debug)]
struct GroupInputs {
    inputs: Inputs,
    groups: Vec<SourceGroups>,
    stacks: Vec<StackName>,
}

impl Args for GroupInputs {
    fn augment_args(command: Command) -> Command {
        Inputs::augment_args(command)
            .mut_arg("source_model_package_group_arn", |group| {
                let help = "Source model package group; * in its name stands for any text; may be repeated";
                group.action(ArgAction::Append).value_delimiter(',').help(help)
            })
            .mut_arg("stack_name", |name| {
                let help = "Name of the stack; for several groups, one name for all, or one for each in the same order";
                name.action(ArgAction::Append).value_delimiter(',').help(help)
            })
            .mut_arg("source_bucket_names", |buckets| {
                buckets.help("Source buckets to write a bucket policy for, separated by commas [default: none]")
            })
            .mut_arg("source_kms_key_arn", |key| {
                key.help(
                    "KMS key of the artifacts to write a key policy for [default: none; the script takes ARNs in KEYS]",
                )
            })
            .mut_arg("image_repository_names", |names| {
                let help = "Repositories to write a repository policy for, separated by commas [default: none; the \
                            script takes names in REPOSITORIES]";
                names.help(help)
            })
            .mut_arg("target_bucket_name", |bucket| bucket.required(false).default_value("any").hide(true))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for GroupInputs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let groups = matches.get_many("source_model_package_group_arn").into_iter().flatten().cloned().collect();
        let stacks = matches.get_many("stack_name").into_iter().flatten().cloned().collect();
        Ok(Self { inputs: Inputs::from_arg_matches(matches)?, groups, stacks })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl SourceGrants {
    pub(super) fn run(&self) -> Result<()> {
        let inputs = self.groups.each()?;
        let (account, region) = stack_environment(&inputs[0])?;
        let named = self.groups.stacks()?;
        let stacks = each("--stack-name", &named, inputs.len())?;
        let roles = each("--build-role-arn", &self.build_role_arn, inputs.len())?;
        let readers = stacks.into_iter().zip(roles).map(|(stack, role)| Reader { account, region, stack, role });
        let pairs: Vec<Pair<'_>> = inputs.iter().zip(readers).collect();
        let grants = grants(&pairs);
        match (&self.output_dir, self.output) {
            (Some(folder), _) => write(&grants, folder, &of(&pairs)),
            (None, Format::Json) => print(&(serde_json::to_string_pretty(&grants)? + "\n")),
            (None, Format::Text | Format::Html) => print(&text(&grants)),
        }
    }
}

impl GroupInputs {
    /// The inputs for each group, checked.
    fn each(&self) -> Result<Vec<Inputs>, Conflict> {
        let first = &self.groups[0];
        for group in &self.groups {
            if (group.account(), group.region()) != (first.account(), first.region()) {
                let message = format!("{group} is in another account or region than {first}");
                let hint = "Run the command once for each account and region";
                return Err(Conflict::new("--source-model-package-group-arn", message, hint));
            }
        }
        let of = |group: &SourceGroups| Inputs { source_model_package_group_arn: group.clone(), ..self.inputs.clone() };
        let inputs: Vec<Inputs> = self.groups.iter().map(of).collect();
        inputs.iter().try_for_each(Inputs::check)?;
        Ok(inputs)
    }

    /// The stacks that are named, or the one that SeedFarmer names.
    fn stacks(&self) -> Result<Vec<StackName>, Conflict> {
        match (self.stacks.is_empty(), self.groups.len()) {
            (true, 1) => Ok(stack_name(&self.inputs)?.into_iter().collect()),
            _ => Ok(self.stacks.clone()),
        }
    }
}

/// One value for each of `count` groups: as many are given, or one for all, or none.
fn each<'a, T>(flag: &'static str, given: &'a [T], count: usize) -> Result<Vec<Option<&'a T>>, Conflict> {
    match given.len() {
        0 => Ok(vec![None; count]),
        1 => Ok(vec![given.first(); count]),
        many if many == count => Ok(given.iter().map(Some).collect()),
        many => {
            let message = format!("{many} values for {count} groups");
            Err(Conflict::new(flag, message, "Pass one for each group, in the order of the groups, or one for all"))
        }
    }
}

/// The file of a folder that says which groups and readers its scripts are for.
const SUBJECT: &str = "grants-for.txt";

/// The groups and their readers, a line each.
fn of(pairs: &[Pair<'_>]) -> String {
    let line = |(inputs, reader): &Pair<'_>| {
        let stack = reader.stack.map_or("any stack".to_owned(), |stack| format!("stack {stack}"));
        let group = inputs.source_model_package_group_arn.canonical();
        format!("{group}, read by {stack} of {} in {}\n", reader.account, reader.region)
    };
    pairs.iter().map(line).collect()
}

/// Writes the policies and the scripts, and prints what to run where. Files for other groups or readers are not
/// replaced.
fn write(grants: &Grants, folder: &Path, subject: &str) -> Result<()> {
    let file = folder.join(SUBJECT);
    if let Some(other) = fs::read_to_string(&file).ok().filter(|other| other != subject) {
        let (other, folder) = (other.trim_end().replace('\n', "; "), folder.display());
        let message = format!("{folder} has the grants for {other}");
        let hint = "Pass another folder, or all groups at once";
        return Err(Conflict::new("--output-dir", message, hint).into());
    }
    let policies = grants.steps.iter().map(|step| (step.file.clone(), format!("{:#}\n", step.policy)));
    let scripts = scripts(grants);
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let subject = (SUBJECT.to_owned(), subject.to_owned());
    for (name, text) in policies.chain(scripts.clone()).chain([subject]) {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    grants.remarks.iter().for_each(|remark| note(remark));
    // The target's script goes first, as its step does.
    let runs = scripts.keys().rev().map(|name| format!("bash {}\n", folder.join(name).display()));
    print(&runs.collect::<String>())
}

/// The grants as a page of Markdown.
fn text(grants: &Grants) -> String {
    let mut text = String::new();
    for remark in &grants.remarks {
        text.push_str(&fitted(&format!("- {remark}."), 2));
        text.push('\n');
    }
    for step in &grants.steps {
        text.push('\n');
        text.push_str(&section(step));
    }
    text
}

fn section(step: &GrantStep) -> String {
    let side = match step.side {
        Side::Source => "Source",
        Side::Target => "Target",
    };
    let mut text = format!("## {}. {side} account {}: {}\n\n", step.order, step.account, step.title);
    // Writing to a String cannot fail.
    if let Some(note) = &step.note {
        let _ = writeln!(text, "{}\n", fitted(&format!("{note}."), 0));
    }
    if let Some(variable) = step.for_each {
        let _ = writeln!(text, "Run the commands for each of {variable}, as `$each`.\n");
    }
    if let Some(arn) = &step.may_be_shared {
        let share = "If an AWS RAM resource share contains the group, check the share first: AWS RAM writes the group's \
                     policy. This lists the group's shares:";
        let region = arn.split(':').nth(3).unwrap_or_default();
        let list = format!("aws ram list-resources --region {region} --resource-owner SELF --resource-arns {arn}");
        let _ = writeln!(text, "{}\n\n```sh\n{list}\n```\n", fitted(share, 0));
    }
    let _ = writeln!(text, "`{}`:\n\n```json\n{:#}\n```\n\n```sh", step.file, step.policy);
    if let Some(current) = &step.current {
        let absent = if current.absent.is_empty() { String::new() } else { format!("; {} means none", current.absent) };
        let _ = writeln!(text, "{}   # the present policy{absent}", current.command);
        let _ = writeln!(text, "# merged/{0}: the present policy with the statements of {0}", step.file);
    }
    for command in &step.commands {
        let _ = writeln!(text, "{command}");
    }
    text + "```\n"
}
