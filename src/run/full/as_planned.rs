//! `promote full --plan`: carries out a plan that somebody has reviewed.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Result;

use super::permitted::Permitted;
use super::run;
use crate::model::arn::PackageArn;
use crate::model::promoted::PromotedVersion;
use crate::record::ReviewedPlan;
use crate::register::existing::describe_all;
use crate::run::context::Context;
use crate::run::report::RunReport;
use crate::run::settings::FullSettings;

/// Carries a reviewed plan out, or stops before the first write if anything that the plan fixes is different now. With
/// `dry_run`, only compares.
///
/// # Errors
/// The message names what differs. A planned write about a promoted version that is not due any more when its turn comes is a
/// failure of the report. Otherwise as [`crate::run::full()`].
pub async fn full_as_planned(context: &Context, settings: &FullSettings, plan: &ReviewedPlan) -> Result<RunReport> {
    let preview = FullSettings { dry_run: true, ..settings.clone() };
    let now = run(context, &preview, Permitted::Everything).await?;
    if !now.failures.is_empty() {
        return Ok(now);
    }
    let writes = now.document.planned.as_deref().unwrap_or_default();
    let versions = existing(context, plan.left_out(writes)).await?;
    plan.refuse_other(&now.document, &versions)?;
    if settings.dry_run {
        return Ok(now);
    }
    let mut report = run(context, settings, Permitted::Planned(plan)).await?;
    if report.failures.is_empty() && report.document.hold.is_none() && report.unconfirmed().is_none() {
        let versions = existing(context, plan.left_out(&[])).await;
        let left_out = versions.and_then(|versions| plan.refuse_left_out(&versions));
        report.failures.extend(left_out.err().map(Arc::new));
    }
    Ok(report.with_failures_told())
}

/// The promoted versions that exist.
async fn existing(context: &Context, promoted: HashSet<PackageArn>) -> Result<Vec<PromotedVersion>> {
    describe_all(context.target().await?.registry(), &Vec::from_iter(promoted)).await
}
