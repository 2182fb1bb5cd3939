//! `promote apply` and `promote plan`: promotions that a file describes.

mod document;
mod file;
mod members;
mod outline;
mod refused;
mod run;
#[cfg(test)]
mod schema;
mod text;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

pub(super) use document::{OfTarget, PromotionsDocument};
use file::FileTarget;

use super::arguments::{Format, OutputArgs, PlanFormat, ToldArgs, number, record_file};
use super::exit::Exit;
use super::running::Running;
use crate::model::failure::{Failure, Hint};
use crate::run::Context;
use crate::run::many::JOBS;
use crate::run::promotions::{ReviewedPromotions, make_with};

/// Carry out the promotions of a file
///
/// Runs `promote full` for each target of the file, with the settings of the file. A target or group that fails does
/// not stop the others. Variables such as PROMOTE_TARGET_BUCKET do not override the file.
#[derive(Debug, Args)]
pub(super) struct Apply {
    #[command(flatten)]
    promotions: PromotionsArgs,
    /// Plan to carry out: the --record file of `promote plan`. A group that has changed since then is refused before
    /// its first write
    #[arg(long, env = "PROMOTE_PLAN", value_name = "FILE", help_heading = "Plan")]
    pub(super) plan: Option<PathBuf>,
    /// Refuse a plan that is older than this, such as 12h or 7d
    #[arg(long, env = "PROMOTE_PLAN_MAX_AGE", value_name = "AGE", value_parser = humantime::parse_duration, default_value = "7d", help_heading = "Plan")]
    plan_max_age: Duration,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Show what the promotions of a file would change
///
/// Runs each promotion as a dry run. `--output markdown` is for a comment in a pull request. `promote apply --plan`
/// carries out the plan that --record writes.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    promotions: PromotionsArgs,
    /// Format of the plan on standard output; all other output goes to standard error
    #[arg(long, env = "PROMOTE_OUTPUT", value_name = "FORMAT", value_enum, default_value_t = PlanFormat::Text, help_heading = "Output")]
    output: PlanFormat,
    /// Also write the plan to this file, for `promote apply --plan`
    #[arg(long, env = "PROMOTE_RECORD", value_name = "FILE", value_parser = record_file(), help_heading = "Output")]
    record: Option<PathBuf>,
    #[command(flatten)]
    told: ToldArgs,
}

/// The flags that select promotions.
#[derive(Debug, Args)]
#[command(next_help_heading = "Promotions")]
struct PromotionsArgs {
    /// Promotions file
    #[arg(long, short, env = "PROMOTE_FILE", value_name = "FILE")]
    file: PathBuf,
    /// Limit to this promotion, such as churn, or to one of its targets, such as churn/production; can be repeated, or
    /// separated by commas [default: all]
    #[arg(long, env = "PROMOTE_ONLY", value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Maximum number of groups at a time
    #[arg(long, env = "PROMOTE_JOBS", value_name = "N", default_value_t = JOBS, value_parser = number(1..=256usize))]
    jobs: usize,
}

/// Promotions that are carried out or planned.
struct PromotionsOfFile<'a> {
    file: String,
    targets: Vec<FileTarget>,
    jobs: usize,
    dry_run: bool,
    reviewed: Option<ReviewedPromotions>,
    form: Option<PlanFormat>,
    running: &'a Running,
}

impl PromotionsArgs {
    /// The targets that `--only` selects.
    ///
    /// # Errors
    /// The file is wrong, or has no target of a name.
    fn targets(&self) -> Result<Vec<FileTarget>> {
        let mut targets = file::read(&self.file)?;
        let promotion = |target: &FileTarget| target.name.split_once('/').map(|(promotion, _)| promotion.to_owned());
        let is_of =
            |target: &FileTarget, only: &str| target.name == only || promotion(target).is_some_and(|name| name == only);
        for only in &self.only {
            let names = || -> BTreeSet<String> {
                targets.iter().flat_map(|target| promotion(target).into_iter().chain([target.name.clone()])).collect()
            };
            ensure!(
                targets.iter().any(|target| is_of(target, only)),
                Failure::new(format!("{} has no promotion or target '{only}'", self.file.display()))
                    .hint(format!("Pass one of {}", Vec::from_iter(names()).join(", ")))
                    .wrong_arguments()
            );
        }
        targets.retain(|target| self.only.is_empty() || self.only.iter().any(|only| is_of(target, only)));
        Ok(targets)
    }

    fn promotions<'a>(&self, targets: Vec<FileTarget>, running: &'a Running) -> PromotionsOfFile<'a> {
        let file = self.file.display().to_string();
        PromotionsOfFile { file, targets, jobs: self.jobs, dry_run: false, reviewed: None, form: None, running }
    }
}

impl Apply {
    pub(super) async fn run(&self, running: &Running) -> Result<Exit> {
        let targets = self.promotions.targets()?;
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        let reviewed = self.plan.as_deref().map(|plan| self.read_plan(plan, &names)).transpose()?;
        let promotions = self.promotions.promotions(targets, running);
        let promotions = PromotionsOfFile { dry_run: self.output.dry_run, reviewed, ..promotions };
        running.run(Context::default(), async |context| promotions.run(context).await).await
    }

    /// The plans of these targets.
    ///
    /// # Errors
    /// The file is no such plan, or it is too old.
    fn read_plan(&self, path: &Path, targets: &[&str]) -> Result<ReviewedPromotions> {
        let name = path.display().to_string();
        let PromotionsArgs { file, only, .. } = &self.promotions;
        let only: String = only.iter().map(|only| format!(" --only {only}")).collect();
        let command = format!("promote plan --file {}{only} --record {name}", file.display());
        let text = std::fs::read(path).with_context(|| format!("promote apply cannot read {name}"));
        let reviewed = ReviewedPromotions::parse(&text.hint(make_with(&command))?, &name, &command, targets)?;
        reviewed.refuse_older(self.plan_max_age, SystemTime::now())?;
        reviewed.refuse_other_targets(targets)?;
        Ok(reviewed)
    }
}

impl PlanArgs {
    pub(super) fn output(&self) -> OutputArgs {
        let output = if self.output == PlanFormat::Json { Format::Json } else { Format::Text };
        OutputArgs { dry_run: true, output, record: self.record.clone(), told: self.told }
    }

    pub(super) async fn run(&self, running: &Running) -> Result<Exit> {
        let targets = self.promotions.targets()?;
        let promotions = self.promotions.promotions(targets, running);
        let promotions = PromotionsOfFile { dry_run: true, form: Some(self.output), ..promotions };
        running.run(Context::default(), async |context| promotions.run(context).await).await
    }
}
