//! `promote full --plan`: carries out a plan that somebody has reviewed.

use anyhow::Result;

use super::permitted::Permitted;
use super::run;
use crate::record::ReviewedPlan;
use crate::run::context::Context;
use crate::run::report::RunReport;
use crate::run::settings::FullSettings;

/// Carries a reviewed plan out, or stops before the first write if anything that the plan fixes is different now. With
/// `dry_run`, only compares.
///
/// # Errors
/// The message names what differs. Otherwise as [`crate::run::full()`].
pub async fn full_as_planned(context: &Context, settings: &FullSettings, plan: &ReviewedPlan) -> Result<RunReport> {
    let preview = FullSettings { dry_run: true, ..settings.clone() };
    let now = run(context, &preview, Permitted::Everything).await?;
    if !now.failures.is_empty() {
        return Ok(now);
    }
    plan.refuse_other(&now.document)?;
    if settings.dry_run {
        return Ok(now);
    }
    run(context, settings, Permitted::Planned(plan)).await
}
