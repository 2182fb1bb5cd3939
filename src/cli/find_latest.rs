//! `promote find-latest`: a group comes in, its latest Approved version goes out.

use anyhow::Result;
use clap::Args;
use clap::builder::BoolishValueParser;

use super::exit::Exit;
use super::output::Printer;
use super::settings::{GroupArgs, OutputArgs, SourceArgs};
use super::steps::{Clock, describe};
use crate::aws::accounts::SourceAccount;
use crate::aws::registry::Summary;
use crate::model::arn::{GroupArn, GroupRef, Region};
use crate::model::failure::Failure;
use crate::plan::draft::refuse_unknown;
use crate::plan::find::{Latest, Versions, latest_approved, version};
use crate::record::{Conclusion, Source};
use crate::schema::references::references;

/// Find the version to promote: the latest Approved one of a group
///
/// Reads the source account only. Exits 4 when no version is approved.
#[derive(Debug, Args)]
pub struct FindLatest {
    #[command(flatten)]
    group: GroupArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Go on when the package has fields that this version does not know
    #[arg(long, env = "PROMOTE_IGNORE_UNKNOWN_FIELDS", value_parser = BoolishValueParser::new())]
    ignore_unknown_fields: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl FindLatest {
    pub(super) async fn run(&self, printer: &Printer) -> Result<Exit> {
        let clock = Clock::start();
        let source = SourceAccount::open(self.source.access(), self.group.region()).await?;
        let group = source.group(&self.group.group).await?;
        let (identity, latest) = tokio::join!(source.check(group.account()), self.group.find(&source, &group));
        let (identity, (latest, _)) = (identity?, latest?);
        let caller = identity.map(|identity| identity.arn);
        let found = match latest {
            Latest::Version(found) => found,
            Latest::NoneApproved(versions) => {
                let facts = none_approved(&group, &versions, caller);
                let mut record = clock.record(Conclusion::NothingApproved, facts);
                record.versions = Some(versions.0);
                printer.document(&record)?;
                return Ok(Exit::NothingApproved);
            }
        };
        let package = describe(&source, &found.arn).await?;
        refuse_unknown(&package, self.ignore_unknown_fields)?;
        let references = references(package.description())?;
        let mut record = clock.record(Conclusion::Found, Source::of(&package, caller));
        record.references = references.iter().map(Into::into).collect();
        printer.conclude(&record)
    }
}

impl GroupArgs {
    /// The region that the group's ARN names.
    pub(super) fn region(&self) -> Option<&Region> {
        match &self.group {
            GroupRef::Arn(arn) => Some(arn.region()),
            GroupRef::Name(_) => None,
        }
    }

    /// The version that was asked for, or the latest Approved one, with what was listed on the way.
    pub(super) async fn find(&self, source: &SourceAccount, group: &GroupArn) -> Result<(Latest, Vec<Summary>)> {
        let registry = source.registry();
        match self.version {
            Some(number) => version(registry, group, number).await,
            None => latest_approved(registry, group).await,
        }
    }

    /// Whether a described version may be promoted: without `--version`, only while it is Approved.
    pub(super) fn may_promote(&self, approval: &str, found: &Summary) -> Result<()> {
        anyhow::ensure!(
            self.version.is_some() || approval == "Approved",
            Failure::new(format!("{} was Approved when it was listed and is {approval} now", found.arn))
                .hint("Run again")
        );
        Ok(())
    }
}

/// The source side of a document about a group without an Approved version.
pub(super) fn none_approved(group: &GroupArn, versions: &Versions, caller: Option<String>) -> Source {
    debug_assert!(!versions.0.contains_key("Approved"));
    Source {
        group: group.name().clone(),
        account: group.account().clone(),
        region: group.region().clone(),
        package: None,
        caller,
    }
}
