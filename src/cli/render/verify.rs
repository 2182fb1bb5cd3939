//! Renders the result of `promote verify` as text.

use std::fmt::Write as _;

use anyhow::Result;

use super::{LINES_SHOWN, Rendered};
use crate::record::verification::{Finding, Verdict};
use crate::run::Verification;

impl Rendered for Verification {
    fn text(&self) -> Result<String> {
        let mut out = String::new();
        let outcome = match self.outcome {
            Verdict::Identical | Verdict::Kept => "identical: the version and its artifacts equal the record",
            Verdict::Changed => "changed: the version or an artifact differs from the record",
            Verdict::Missing => "missing: the record or an artifact does not exist",
            Verdict::Unverifiable => "unverifiable: nothing differs, but not everything could be verified",
        };
        writeln!(out, "{:<11}{outcome}", "Outcome")?;
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
            let Finding { verdict, name, detail, .. } = finding?;
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
            writeln!(out, "  {name}\n               {detail}")?;
        }
        if more > 0 {
            writeln!(out, "  … and {more} more (--output json shows all)")?;
        }
        Ok(out)
    }
}
