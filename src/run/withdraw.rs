//! `promote withdraw`: rejects every promoted version whose source version is Rejected, and promotes nothing.

use std::collections::HashSet;

use anyhow::Result;
use tokio::sync::watch;

use super::context::Context;
use super::find_latest::none_approved;
use super::full::listed::{promotions, rejected};
use super::full::permitted::Permitted;
use super::promotion::Promotion;
use super::report::RunReport;
use super::settings::WithdrawSettings;
use super::sync::follow::Following;
use crate::aws::accounts::callers;
use crate::plan::draft::PackageOverrides;
use crate::record::Conclusion;
use crate::record::signing::Signer;
use crate::register::decision::ApprovalPolicy;

/// Rejects every promoted version of a group whose source version is Rejected.
///
/// # Errors
/// The accounts cannot be read. The report has the versions that could not be withdrawn.
pub async fn withdraw(context: &Context, settings: &WithdrawSettings) -> Result<RunReport> {
    let started = context.clock.start();
    let (source, target) = context.accounts().await?;
    let group = source.group(&settings.group).await?;
    let (callers, signer, rejected, promotions) = tokio::join!(
        callers(source, target, group.account()),
        Signer::open(target, settings.sign_key.as_ref()),
        rejected(source, &group),
        promotions(context, &settings.destination, target, &group)
    );
    let ((reader, writer), signer, rejected, mut promotions) = (callers?, signer?, rejected?, promotions?);
    let overrides = PackageOverrides { kms_key: settings.kms_key.clone(), ..PackageOverrides::default() };
    let promotion = Promotion {
        context,
        started,
        source,
        target,
        destination: settings.destination.of(&group, &writer)?,
        group,
        overrides: &overrides,
        reader: reader.arn,
        signer,
        uploads: context.new_uploads(),
        dry_run: settings.dry_run,
        permitted: Permitted::Withdrawals,
        reviewed: None,
        elsewhere: None,
    };
    let versions: HashSet<u32> = rejected.iter().map(|version| version.arn.version()).collect();
    promotions.retain(&promotion.group, |source| versions.contains(&source.version()));
    let policy = ApprovalPolicy { approval: None, withdraw: true };
    let following =
        Following { promotion: &promotion, policy, promotions: &promotions, rejected: &rejected, except: None };
    let followed = following.run(&watch::channel(Some(None)).0).await;
    let outcome = match (followed.withdrawn.is_empty(), followed.failures.is_empty()) {
        (true, true) => Conclusion::NothingToWithdraw,
        (true, false) => Conclusion::NotWithdrawn,
        (false, _) if promotion.dry_run => Conclusion::Planned,
        (false, _) => Conclusion::Withdrawn,
    };
    let mut record = promotion.record_of(outcome, none_approved(&promotion.group, Some(promotion.reader.clone())));
    record.withdrawn = followed.withdrawn;
    record.followed = followed.followed;
    record.warnings = followed.warnings;
    record.planned = promotion.dry_run.then_some(followed.planned);
    record.add_unconfirmed(followed.unconfirmed);
    Ok(RunReport { document: record, failures: followed.failures }.with_failures_told())
}
