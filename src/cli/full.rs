//! `promote full`: the whole path, from a group to its latest Approved version in the target.

use anyhow::Result;
use clap::Args;

use super::exit::Exit;
use super::find_latest::none_approved;
use super::output::Printer;
use super::registering::{Registering, create_group, is_missing, recorded};
use super::settings::{CarryArgs, CopyArgs, GroupArgs, OutputArgs, PlaceArgs, RegisterArgs, SourceArgs, TargetArgs};
use super::steps::{Clock, Copying, Place, describe, look, make_plan};
use crate::aws::registry::Summary;
use crate::promotion::accounts::{SourceAccount, TargetAccount, caller, target_group};
use crate::promotion::arn::GroupArn;
use crate::promotion::comparison::differences;
use crate::promotion::copies::{Copies, Purpose, There};
use crate::promotion::draft::Carrying;
use crate::promotion::earlier::{Earlier, Own};
use crate::promotion::group::Latest;
use crate::promotion::location::BucketName;
use crate::promotion::package::Package;
use crate::promotion::plan::Plan;
use crate::promotion::record::{Conclusion, Record, Source};
use crate::promotion::registration::Approval;
use crate::promotion::uploads::OpenUploads;

/// Promote the latest Approved version of a group into the target account
///
/// Finds the version, copies and verifies its artifacts, registers it, and approves it last. Run again after any
/// failure: finished copies are skipped, and one source version becomes one target version.
#[derive(Debug, Args)]
pub struct Full {
    #[command(flatten)]
    group: GroupArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Bucket of the target account for the artifacts
    #[arg(long, env = "PROMOTE_TARGET_BUCKET", value_name = "BUCKET", help_heading = "Target")]
    target_bucket: BucketName,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    carry: CarryArgs,
    #[command(flatten)]
    copy: CopyArgs,
    #[command(flatten)]
    register: RegisterArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Everything that the steps of one run share.
struct Run<'a> {
    settings: &'a Full,
    clock: Clock,
    source: SourceAccount,
    target: TargetAccount,
    group: GroupArn,
    place: Place,
    caller: Option<String>,
    printer: &'a Printer,
    uploads: &'a OpenUploads,
}

impl Full {
    pub(super) async fn run(&self, printer: &Printer, uploads: &OpenUploads) -> Result<Exit> {
        let clock = Clock::start();
        let source = SourceAccount::open(self.source.access(), self.group.region()).await?;
        let target = TargetAccount::open(self.target.access()).await?;
        let group = source.group(&self.group.group).await?;
        let (reader, identity, latest) =
            tokio::join!(source.check(group.account()), target.check(), self.group.find(&source, &group));
        let (reader, identity, latest) = (reader?, identity?, latest?);
        let name = self.place.target_group.as_ref().unwrap_or(group.name());
        let place = Place {
            bucket: self.target_bucket.clone(),
            prefix: self.place.target_prefix.clone().unwrap_or_default(),
            group: target_group(&group, &identity, name)?,
            identity,
        };
        let run =
            Run { settings: self, clock, source, target, group, place, caller: caller(&reader), printer, uploads };
        match latest {
            Latest::Version(found) => run.promote(&found).await,
            Latest::NoneApproved(versions) => {
                let facts = none_approved(&run.group, &versions, run.caller.clone());
                let mut record = run.clock.record(Conclusion::NothingApproved, facts);
                record.versions = Some(versions.0);
                printer.conclude(&record)
            }
        }
    }
}

impl Run<'_> {
    async fn promote(&self, found: &Summary) -> Result<Exit> {
        let (package, recorded, missing) = tokio::join!(
            describe(&self.source, &found.arn),
            recorded(&self.target, &self.place, &found.arn),
            is_missing(&self.target, &self.place, &self.settings.register),
        );
        let (package, recorded) = (package?, recorded?);
        self.settings.group.may_promote(package.approval(), found)?;
        match recorded {
            Some((before, own)) if own.is_settled() || self.leaves_pending() => {
                self.report_earlier(&package, &self.place, before, &own)
            }
            _ => self.carry_out(&package, missing?).await,
        }
    }

    /// A version that is to stay pending is finished when it is recorded.
    fn leaves_pending(&self) -> bool {
        self.settings.register.approval == Approval::Pending
    }

    fn report_earlier(&self, package: &Package, place: &Place, before: Record, own: &Own) -> Result<Exit> {
        let mut record = self.record(Conclusion::AlreadyPromoted, package);
        record.target = Some(place.target(package.arn(), Some((&own.arn, own.approval()))));
        for artifact in &before.artifacts {
            record.artifacts.push(&artifact?.found_again())?;
        }
        record.left = before.left;
        record.warnings = before.warnings;
        record.request = before.request;
        self.printer.conclude(&record)
    }

    async fn carry_out(&self, package: &Package, missing: bool) -> Result<Exit> {
        let carrying = self.settings.carry.carrying();
        let (plan, there, earlier) = tokio::try_join!(
            make_plan(&self.source, &self.place, package, &carrying),
            look(&self.target, &self.place, package.arn()),
            Earlier::find(self.target.registry(), self.place.group.name(), package),
        )?;
        if let Some(own) = promoted_elsewhere(&plan, &earlier) {
            return self.report_elsewhere(package, own).await;
        }
        if self.settings.output.dry_run {
            return self.report_plan(package, &plan, there, &earlier).await;
        }
        let copies = self.copy_and_make_room(&plan, there, &carrying, missing).await?;
        let settings = &self.settings.register;
        let registering = Registering { target: &self.target, place: &self.place, carrying: &carrying, settings };
        let source = Source::of(package, self.caller.clone());
        let record = registering.run(package, &plan, &copies, earlier, (&self.clock, source)).await?;
        self.printer.conclude(&record)
    }

    /// Copies, and creates the group meanwhile: neither waits for the other, and nothing is registered before both.
    async fn copy_and_make_room(
        &self,
        plan: &Plan,
        there: There,
        carrying: &Carrying,
        missing: bool,
    ) -> Result<Copies> {
        let register = &self.settings.register;
        let making_room = async {
            if missing {
                create_group(&self.source, &self.target, &self.group, &self.place, register, self.printer).await?;
            }
            Ok(())
        };
        let copying = self.copying(carrying);
        let done = tokio::try_join!(copying.run(plan, there, Purpose::Copy), making_room);
        if done.is_err() {
            // What is under way when the group cannot be created is given up, as when copying fails itself.
            for left in self.uploads.abort_all().await {
                self.printer.say(&format!("an upload stays open until the next run: {left}"));
            }
        }
        Ok(done?.0)
    }

    async fn report_plan(&self, package: &Package, plan: &Plan, there: There, earlier: &Earlier) -> Result<Exit> {
        let copies = self.copying(&self.settings.carry.carrying()).run(plan, there, Purpose::Preview).await?;
        let own = earlier.usable();
        let outcome = if own.is_some_and(Own::is_settled) { Conclusion::AlreadyPromoted } else { Conclusion::Planned };
        let mut record = self.record(outcome, package).with_plan(plan, &copies)?;
        record.target = Some(self.place.target(package.arn(), own.map(|own| (&own.arn, own.approval()))));
        self.printer.conclude(&record)
    }

    /// The version was promoted to other locations: nothing is copied a second time.
    async fn report_elsewhere(&self, package: &Package, own: &Own) -> Result<Exit> {
        self.printer.say(&format!("{} was promoted with other settings; it stays as it is", own.arn));
        let place = self.place.of(own, package.arn()).unwrap_or_else(|| self.place.clone());
        if let Some((before, own)) = recorded(&self.target, &place, package.arn()).await? {
            return self.report_earlier(package, &place, before, &own);
        }
        let mut record = self.record(Conclusion::AlreadyPromoted, package);
        record.target = Some(place.target(package.arn(), Some((&own.arn, own.approval()))));
        self.printer.conclude(&record)
    }

    fn copying<'a>(&'a self, carrying: &'a Carrying) -> Copying<'a> {
        Copying {
            source: &self.source,
            target: &self.target,
            tuning: self.settings.copy.tuning(),
            carrying,
            uploads: self.uploads,
            printer: self.printer,
        }
    }

    fn record(&self, outcome: Conclusion, package: &Package) -> Record {
        self.clock.record(outcome, Source::of(package, self.caller.clone()))
    }
}

/// A finished promotion of the same version that is not what this plan would make.
fn promoted_elsewhere<'a>(plan: &Plan, earlier: &'a Earlier) -> Option<&'a Own> {
    earlier.usable().filter(|own| own.is_settled() && !differences(&plan.request, &own.description).is_empty())
}
