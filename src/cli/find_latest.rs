//! `promote find-latest`.

use anyhow::Result;
use clap::Args;
use clap::builder::BoolishValueParser;

use super::arguments::{GroupArgs, OutputArgs, SourceArgs};
use super::exit::Exit;
use super::printer::{Printer, nothing_approved};
use crate::aws::session::Access;
use crate::record::Conclusion;
use crate::run::settings::FindLatestSettings;
use crate::run::{Context, find_latest};

/// Find the latest Approved version of a group
///
/// Reads the source account only. Exits 4 if no version is approved.
#[derive(Debug, Args)]
#[command(mut_arg("dry_run", |dry_run| dry_run.hide(true)))]
pub(super) struct FindLatest {
    #[command(flatten)]
    group: GroupArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Continue if the package has unknown fields
    #[arg(long, env = "PROMOTE_IGNORE_UNKNOWN_FIELDS", value_parser = BoolishValueParser::new(), help_heading = "Model package")]
    ignore_unknown_fields: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl FindLatest {
    pub(super) fn context(&self) -> Context {
        Context::new(self.source.access(self.group.group.region()), Access::default())
    }

    pub(super) async fn run(&self, context: &Context, printer: &Printer) -> Result<Exit> {
        let ignore_unknown_fields = self.ignore_unknown_fields;
        let settings = FindLatestSettings { selection: self.group.selection(), ignore_unknown_fields };
        let report = find_latest(context, &settings).await?;
        let exit = printer.conclude(&report)?;
        Ok(if report.outcome() == Conclusion::NothingApproved { nothing_approved() } else { exit })
    }
}
