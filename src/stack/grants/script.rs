//! Writes the steps of each account as a script.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::step::{GrantStep, Grants};

/// The functions of every script.
const FUNCTIONS: &str = include_str!("apply.sh");

/// A script for each account that has steps, by file name.
pub fn scripts(grants: &Grants) -> BTreeMap<String, String> {
    let mut scripts = BTreeMap::new();
    for step in &grants.steps {
        let script = scripts.entry(name(step)).or_insert_with(|| format!("{FUNCTIONS}\nof_account {}\n", step.account));
        add(script, step);
    }
    scripts.values_mut().for_each(|script| script.push_str("\nfinish\n"));
    scripts
}

/// The name of the script of a step, with the account if it is not the side's usual one.
fn name(step: &GrantStep) -> String {
    format!("apply-{}-{}.sh", step.side, step.account)
}

fn add(script: &mut String, step: &GrantStep) {
    let mut lines = Vec::new();
    if let Some(current) = &step.current {
        lines.push(format!("merge {} {} {}", step.file, quoted(current.absent), current.command));
    }
    lines.extend(step.commands.iter().cloned());
    let note = step.note.as_ref().map_or(String::new(), |note| format!("# {note}.\n"));
    let heading = format!("{}. {}", step.order, step.title);
    // Writing to a String cannot fail.
    let _ = write!(script, "\n{note}step {}\n", quoted(&heading));
    let resource = step.for_each.map_or("", |_| " \"$each\"");
    let body: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    // A counter outside of the subshell: each policy that was there has a file of its own.
    let body = format!("number=$((number + 1))\n(\n  set -e\n{body})\nended $?{resource}\n");
    let _ = match (&step.may_be_shared, step.for_each) {
        (Some(arn), _) => write!(script, "if not_shared {arn}; then\n{body}fi\n"),
        (None, Some(variable)) => write!(script, "for each in ${{{variable}:-}}; do\n{body}done\n"),
        (None, None) => script.write_str(&body),
    };
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
