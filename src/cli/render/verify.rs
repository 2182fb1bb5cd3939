//! Renders the result of `promote verify` as text.

use std::borrow::Cow;
use std::fmt::Write as _;

use anyhow::Result;

use super::record::{labelled, shortened};
use super::{LINES_SHOWN, Rendered};
use crate::cli::of_groups::Ended;
use crate::cli::wrap::fitted;
use crate::model::arn::PackageArn;
use crate::model::words::word;
use crate::record::verification::{SubjectVerdict, Verdict};
use crate::run::{GroupVerification, Verification};

/// Characters of a detail that are shown whole. What is longer is a value of metadata.
const DETAIL: usize = 600;
/// The column of details.
const DETAILS: usize = 15;

impl Rendered for Verification {
    fn text(&self) -> Result<String> {
        let mut out = String::new();
        writeln!(out, "{}", labelled("Outcome", outcome(self.outcome)))?;
        writeln!(out, "{:<11}{}", "Version", self.model_package_arn)?;
        writeln!(out, "{:<11}{}", "Source", self.source_model_package_arn)?;
        let counts = [
            (self.identical, "identical"),
            (self.changed, "changed"),
            (self.missing, "missing"),
            (self.unverifiable, "unverifiable"),
            (self.kept, "kept"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
        writeln!(out, "{:<11}{}", "Findings", counts.collect::<Vec<_>>().join(", "))?;
        let (mut shown, mut more) = (0, 0);
        for finding in self.findings.iter() {
            let SubjectVerdict { verdict, name, detail, .. } = finding?;
            let name = match verdict {
                Verdict::Identical => continue,
                _ if shown == LINES_SHOWN => {
                    more += 1;
                    continue;
                }
                Verdict::Changed => format!("changed      {name}"),
                Verdict::Missing => format!("missing      {name}"),
                Verdict::Unverifiable => format!("unverifiable {name}"),
                Verdict::Kept => format!("kept         {name}"),
            };
            shown += 1;
            writeln!(out, "{}", fitted(&format!("  {name}"), DETAILS))?;
            writeln!(out, "{}", fitted(&format!("{:DETAILS$}{}", "", cut(&detail)), DETAILS))?;
        }
        if more > 0 {
            writeln!(out, "  … and {more} more (`--output json` shows all)")?;
        }
        Ok(out)
    }
}

fn outcome(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Identical | Verdict::Kept => "identical: the version and its artifacts match the record",
        Verdict::Changed => "changed: the version, an artifact, a record or a signature was changed",
        Verdict::Missing => "missing: a record, a signature, an artifact or an image does not exist",
        Verdict::Unverifiable => "unverifiable: nothing differs, but not everything could be verified",
    }
}

/// The detail, without the middle of a value that is too long for a terminal.
fn cut(detail: &str) -> Cow<'_, str> {
    match detail.chars().count() > DETAIL {
        true => Cow::Owned(format!("{} (`--output json` shows all)", shortened(detail))),
        false => Cow::Borrowed(detail),
    }
}

impl Rendered for GroupVerification {
    fn text(&self) -> Result<String> {
        match self {
            Self::Live(verification) => verification.text(),
            Self::NothingPromoted(nothing) => Ok(format!(
                "{:<11}{}\n{:<11}{}\n{:<11}{}\n",
                "Outcome",
                self.headline(),
                "Target",
                nothing.target_group,
                "Source",
                nothing.source_group
            )),
        }
    }
}

impl Ended for GroupVerification {
    const READS: bool = true;

    fn outcome(&self) -> String {
        match self {
            Self::Live(verification) => word(verification.outcome),
            Self::NothingPromoted(nothing) => nothing.outcome.to_owned(),
        }
    }

    fn headline(&self) -> String {
        match self {
            Self::Live(verification) => outcome(verification.outcome).to_owned(),
            Self::NothingPromoted(_) => "nothing to verify: no Approved version is from the source group".to_owned(),
        }
    }

    fn versions(&self) -> (Option<u32>, Option<u32>) {
        match self {
            Self::Live(verification) => {
                let versions = [&verification.source_model_package_arn, &verification.model_package_arn];
                let [source, target] = versions.map(PackageArn::version);
                (Some(source), Some(target))
            }
            Self::NothingPromoted(_) => (None, None),
        }
    }
}
