//! Renders the result of `promote doctor` as text.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt::Write as _;

use anyhow::Result;

use super::Rendered;
use super::record::labelled;
use crate::cli::of_groups::{Ended, ManyDocument};
use crate::cli::wrap::fitted;
use crate::model::arn::PackageArn;
use crate::run::DoctorReport;
use crate::run::doctor::{Check, Finding, Form, Mend, Owner};

/// The column of reasons, and of resources that a row has no room for.
const REASON: usize = 14;

impl Rendered for DoctorReport {
    fn text(&self) -> Result<String> {
        let mut out = String::new();
        writeln!(out, "{}", labelled("Outcome", &headline(&self.checks)))?;
        if let Some(version) = &self.source_model_package_arn {
            writeln!(out, "{:<11}{version}", "Source")?;
        }
        if let Some(group) = &self.target_group {
            writeln!(out, "{:<11}{group}", "Target")?;
        }
        for (number, principal) in self.principals.iter().enumerate() {
            writeln!(out, "{:<11}{principal}", if number == 0 { "Principal" } else { "" })?;
        }
        table(&self.checks.iter().map(|check| (check, 0)).collect::<Vec<_>>(), &mut out)?;
        sections(self.policies.iter().flatten(), &mut out)?;
        Ok(out)
    }
}

impl Ended for DoctorReport {
    const READS: bool = true;
    const HAS_TARGET: bool = false;

    fn outcome(&self) -> String {
        name(self.result).to_owned()
    }

    fn headline(&self) -> String {
        match self.lacks_only_a_version() {
            true => format!("the group has no version: {}", headline(&self.checks)),
            false => headline(&self.checks),
        }
    }

    fn versions(&self) -> (Option<u32>, Option<u32>) {
        (self.source_model_package_arn.as_ref().map(PackageArn::version), None)
    }

    fn take_policies(&mut self) -> Vec<Mend> {
        self.policies.take().unwrap_or_default()
    }

    /// The problems of all groups, and the policies, each once.
    fn below(document: &ManyDocument<Self>, out: &mut String) -> Result<()> {
        let reports = || document.groups.iter().filter_map(|group| group.result.as_ref().ok());
        let problems = first_of_each(reports().flat_map(Self::problems));
        if !problems.is_empty() {
            table(&problems, out)?;
        }
        sections(document.policies.iter(), out)
    }
}

/// The first check of each permission, the worst first, and how many others have the same result.
fn first_of_each<'a>(checks: impl Iterator<Item = &'a Check>) -> Vec<(&'a Check, usize)> {
    let mut found: Vec<(&Check, HashSet<&str>)> = Vec::new();
    for check in checks {
        let same =
            |first: &Check| (first.result, first.side, &first.action) == (check.result, check.side, &check.action);
        match found.iter_mut().find(|(first, _)| same(first)) {
            Some((_, resources)) => drop(resources.insert(&check.resource)),
            None => found.push((check, HashSet::from([check.resource.as_str()]))),
        }
    }
    found.sort_by_key(|(first, _)| (Reverse(first.result), first.side));
    found.into_iter().map(|(first, resources)| (first, resources.len() - 1)).collect()
}

/// A row for each check, with the number of others that have the same result.
fn table(checks: &[(&Check, usize)], out: &mut String) -> Result<()> {
    let width = checks.iter().map(|(check, _)| check.action.len()).max().unwrap_or_default();
    writeln!(out, "\n{:<12}  {:<6}  {:<width$}  RESOURCE", "RESULT", "SIDE", "ACTION")?;
    for (check, others) in checks {
        let Check { side, action, resource, .. } = check;
        let (side, result) = (side.to_string(), name(check.result));
        let others = match others {
            0 => String::new(),
            1 => " and 1 other".to_owned(),
            count => format!(" and {count} others"),
        };
        let row = format!("{result:<12}  {side:<6}  {action:<width$}  {resource}{others}");
        writeln!(out, "{}", fitted(&row, REASON))?;
        for line in check.reason.iter().flat_map(|reason| reason.lines()) {
            writeln!(out, "{}", fitted(&format!("{:REASON$}{line}", ""), REASON + 6))?;
        }
    }
    Ok(())
}

fn sections<'a>(policies: impl Iterator<Item = &'a Mend>, out: &mut String) -> Result<()> {
    for (number, mend) in (1..).zip(policies) {
        write!(out, "\n{}", section(number, mend)?)?;
    }
    Ok(())
}

/// The numbers of the results, the worst first.
fn headline(checks: &[Check]) -> String {
    let is_counted = |check: &&Check, finding| check.result == finding && (!check.optional || finding == Finding::Ok);
    let count = |finding| checks.iter().filter(|check| is_counted(check, finding)).count();
    let optional = match checks.iter().filter(|check| check.result == Finding::Denied && check.optional).count() {
        0 => String::new(),
        1 => "; 1 optional permission is denied".to_owned(),
        count => format!("; {count} optional permissions are denied"),
    };
    let counted = [Finding::Denied, Finding::Missing, Finding::NotTestable]
        .map(|finding| (count(finding), name(finding)))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"));
    match counted.collect::<Vec<_>>() {
        none if none.is_empty() => format!("a promotion has everything that it needs{optional}"),
        some => format!("{}, {} ok{optional}", some.join(", "), count(Finding::Ok)),
    }
}

fn name(finding: Finding) -> &'static str {
    match finding {
        Finding::Ok => "ok",
        Finding::Denied => "denied",
        Finding::Missing => "missing",
        Finding::NotTestable => "not testable",
    }
}

fn section(number: usize, mend: &Mend) -> Result<String> {
    let mut text = format!("{number}. ");
    match &mend.account {
        Some(account) => write!(text, "Account {account}: ")?,
        None => write!(text, "The account of the bucket: ")?,
    }
    match &mend.of {
        Owner::Principal(arn) => write!(text, "policy of {arn}")?,
        Owner::Bucket(name) => write!(text, "policy of the bucket {name}")?,
        Owner::Group(arn) => write!(text, "policy of {arn}")?,
        Owner::Key(arn) => write!(text, "policy of {arn}")?,
        Owner::Trust(arn) => write!(text, "trust policy of {arn}")?,
        Owner::Repository(arn) => write!(text, "policy of {arn}")?,
    }
    text.push_str(match (mend.form, mend.merged) {
        (Form::Complete, true) => " (the complete policy, including its current statements)",
        (Form::Complete, false) => " (the complete policy: there is none now)",
        (Form::Separate, _) => " (a separate policy, in addition to its other policies)",
        (Form::Statements, _) => " (statements to add to the present policy, which could not be read)",
    });
    text = fitted(&text, 3);
    writeln!(text, "\n\n{:#}", mend.policy)?;
    if matches!(&mend.of, Owner::Principal(arn) if arn.contains(":role/AWSReservedSSO_")) {
        writeln!(text, "\nAdd the statements to the permission set in IAM Identity Center, which manages this role.")?;
    }
    if let Some(command) = &mend.read_command {
        writeln!(text, "\nThis shows the present policy, if there is one. Do not replace it:\n\n{command}")?;
    }
    if let Some(command) = &mend.command {
        writeln!(text, "\nSave this policy as policy.json, then run:\n\n{command}")?;
    }
    Ok(text)
}
