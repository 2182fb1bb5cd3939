//! `promote find-latest`: the latest Approved version of a group.

use anyhow::{Result, ensure};

use super::context::Context;
use super::event::Event;
use super::promotion::source_version::completed;
use super::report::RunReport;
use super::settings::Selection;
use super::step_settings::FindLatestSettings;
use crate::aws::accounts::SourceAccount;
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::GroupArn;
use crate::model::failure::Failure;
use crate::plan::draft::refuse_unknown;
use crate::plan::find::{Latest, Search, latest_approved, version};
use crate::plan::references_of;
use crate::record::{Conclusion, Source};

/// Finds the version to promote. Reads the source account only.
///
/// # Errors
/// The group or the version does not exist or cannot be read, or the version cannot be promoted.
pub async fn find_latest(context: &Context, settings: &FindLatestSettings) -> Result<RunReport> {
    let started = context.clock.start();
    let source = context.source().await?;
    let group = source.group(&settings.selection.group).await?;
    let (identity, latest) = tokio::join!(source.check(group.account()), settings.selection.find(source, &group));
    let (identity, Search { latest, passed_over, .. }) = (identity?, latest?);
    let reader = identity.map(|identity| identity.arn);
    let record = |outcome, source| started.record(outcome, source, context.build.as_ref());
    let found = match latest {
        Latest::Version(found) => found,
        Latest::NoneApproved(versions) => {
            let mut record = record(Conclusion::NothingApproved, none_approved(&group, reader));
            record.versions = Some(versions.0);
            return Ok(record.into());
        }
    };
    context.notice(Event::Found(&found.arn));
    let package = completed(context, source, &found.arn, settings.wait_seconds).await?;
    refuse_unknown(&package, settings.ignore_unknown_fields)?;
    let references = references_of(package.arn(), package.description())?;
    let mut record = record(Conclusion::Found, Source::for_next_step(&package, reader));
    record.references = references.iter().map(Into::into).collect();
    record.warnings = passed_over;
    Ok(record.into())
}

impl Selection {
    /// Finds the version.
    pub(super) async fn find(&self, source: &SourceAccount, group: &GroupArn) -> Result<Search> {
        match self.version {
            Some(number) => version(source.registry(), group, number).await,
            None => latest_approved(source.registry(), group).await,
        }
    }

    /// Checks that a version that was listed as Approved is still Approved. A version that was selected by its number
    /// needs no approval.
    pub(super) fn check_approval(&self, approval: &ApprovalStatus, found: &Summary) -> Result<()> {
        ensure!(
            self.version.is_some() || *approval == ApprovalStatus::Approved,
            Failure::new(format!("the approval of {} changed from Approved to {approval} during this run", found.arn))
                .hint("Run again")
        );
        Ok(())
    }
}

/// The source side of a record about a group without an Approved version.
pub(super) fn none_approved(group: &GroupArn, caller: Option<String>) -> Source {
    Source {
        group: group.name().clone(),
        account: group.account().clone(),
        region: group.region().clone(),
        package: None,
        caller,
    }
}
