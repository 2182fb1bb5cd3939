//! `promote full`: the whole path, from a group to its latest Approved version in the target.

use std::sync::Arc;

use anyhow::{Error, Result, anyhow};
use clap::Args;
use futures_util::future::{FutureExt, LocalBoxFuture, Shared, TryFutureExt};

use super::exit::Exit;
use super::find_latest::none_approved;
use super::output::Printer;
use super::records::recorded;
use super::registering::{Registering, create_group, is_missing};
use super::renewing::Renewing;
use super::settings::{
    CarryArgs, CopyArgs, GroupArgs, MirrorArgs, OutputArgs, PlaceArgs, RegisterArgs, SourceArgs, TargetArgs,
};
use super::signing::Signer;
use super::steps::{Clock, Copying, Place, describe, look, make_plan};
use super::withdrawing::{TakenBack, Withdrawing};
use crate::aws::accounts::{SourceAccount, TargetAccount, callers, target_group};
use crate::aws::registry::Summary;
use crate::copy::{Copied, OpenUploads, There};
use crate::model::arn::GroupArn;
use crate::model::location::BucketName;
use crate::model::package::Package;
use crate::plan::Plan;
use crate::plan::draft::Carrying;
use crate::plan::find::Latest;
use crate::record::{Conclusion, Record, Source};
use crate::register::earlier::{Earlier, Own};
use crate::schema::comparison::differences;

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
    mirror: MirrorArgs,
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
    signer: Option<Signer>,
    printer: &'a Printer,
    uploads: &'a OpenUploads,
}

impl Full {
    pub(super) async fn run(&self, printer: &Printer, uploads: &OpenUploads) -> Result<Exit> {
        let clock = Clock::start();
        let source = SourceAccount::open(self.source.access(), self.group.region()).await?;
        let target = TargetAccount::open(self.target.access()).await?;
        let group = source.group(&self.group.group).await?;
        let (callers, signer, latest, rejected) = tokio::join!(
            callers(&source, &target, group.account()),
            Signer::open(&target, self.register.sign_key.as_ref()),
            self.group.find(&source, &group),
            self.rejected(&source, &group)
        );
        let ((reader, identity), signer, (latest, listed), rejected) = (callers?, signer?, latest?, rejected?);
        let name = self.place.target_group.as_ref().unwrap_or(group.name());
        let place = Place {
            bucket: self.target_bucket.clone(),
            prefix: self.place.target_prefix.clone().unwrap_or_default(),
            group: target_group(&group, &identity, name)?,
            identity,
        };
        let run = Run {
            settings: self,
            clock,
            source,
            target,
            group,
            place,
            caller: Some(reader.arn),
            signer,
            printer,
            uploads,
        };
        run.mirror(&latest, &listed, &rejected).await
    }

    /// The versions that the source has rejected, unless that does not matter.
    async fn rejected(&self, source: &SourceAccount, group: &GroupArn) -> Result<Vec<Summary>> {
        match self.mirror.no_withdraw {
            true => Ok(Vec::new()),
            false => Ok(source.registry().list(group, Some("Rejected")).await?),
        }
    }
}

/// What is taken back while something is promoted; whoever needs it waits for it.
type TakingBack<'a> = Shared<LocalBoxFuture<'a, Result<TakenBack, Arc<Error>>>>;

impl Run<'_> {
    /// Promotes what the source approves and takes back what it rejects; neither waits for the other, or fails because
    /// of it.
    async fn mirror(&self, latest: &Latest, listed: &[Summary], rejected: &[Summary]) -> Result<Exit> {
        let taking_back = self.take_back(listed, rejected).map_err(Arc::new).boxed_local().shared();
        let (promoted, taken) = tokio::join!(self.promote_latest(latest, taking_back.clone()), taking_back);
        if let (Err(_), Err(error)) = (&promoted, &taken) {
            self.printer.say(&format!("{error:#}"));
        }
        let mut record = promoted?;
        let taken = taken.map_err(|error| anyhow!("{error:#}"))?;
        record.withdrawn = taken.withdrawn;
        record.warnings.extend(taken.unclear);
        let doubts: Vec<String> = record.doubt.take().into_iter().chain(taken.doubts).collect();
        record.doubt = (!doubts.is_empty()).then(|| doubts.join("; "));
        self.printer.conclude(&record)
    }

    async fn take_back(&self, listed: &[Summary], rejected: &[Summary]) -> Result<TakenBack> {
        if self.settings.mirror.no_withdraw {
            return Ok(TakenBack::default());
        }
        let withdrawing = Withdrawing {
            clock: &self.clock,
            source: &self.source,
            target: &self.target,
            from: &self.group,
            place: &self.place,
            kms_key: self.settings.carry.kms_key_arn.as_ref(),
            signer: self.signer.as_ref(),
            caller: self.caller.as_deref(),
            dry_run: self.settings.output.dry_run,
            printer: self.printer,
        };
        withdrawing.run(listed, rejected).await
    }

    async fn promote_latest(&self, latest: &Latest, taking_back: TakingBack<'_>) -> Result<Record> {
        match latest {
            Latest::Version(found) => self.promote(found, taking_back).await,
            Latest::NoneApproved(versions) => {
                let facts = none_approved(&self.group, versions, self.caller.clone());
                let mut record = self.clock.record(Conclusion::NothingApproved, facts);
                record.versions = Some(versions.0.clone());
                Ok(record)
            }
        }
    }

    async fn promote(&self, found: &Summary, taking_back: TakingBack<'_>) -> Result<Record> {
        let (package, recorded, missing) = tokio::join!(
            describe(&self.source, &found.arn),
            recorded(&self.target, &self.place, &found.arn),
            is_missing(&self.target, &self.place, &self.settings.register),
        );
        let (package, recorded) = (package?, recorded?);
        self.settings.group.may_promote(package.approval(), found)?;
        match recorded {
            Some((before, own)) if own.is_complete() => match self.renew(&package, &self.place, before, &own).await? {
                Some(record) => Ok(record),
                None => self.carry_out(&package, missing?, taking_back).await,
            },
            _ => self.carry_out(&package, missing?, taking_back).await,
        }
    }

    /// The version was promoted before: what its source has changed since is carried over. Answers nothing when its
    /// artifacts have to be seen to first.
    async fn renew(&self, package: &Package, place: &Place, before: Record, own: &Own) -> Result<Option<Record>> {
        let renewing = Renewing {
            clock: &self.clock,
            target: &self.target,
            place,
            carrying: &self.settings.carry.carrying(),
            approval: self.settings.register.approval,
            signer: self.signer.as_ref(),
            dry_run: self.settings.output.dry_run,
            printer: self.printer,
        };
        renewing.run(package, before, own, self.record(Conclusion::AlreadyPromoted, package)).await
    }

    async fn carry_out(&self, package: &Package, missing: bool, taking_back: TakingBack<'_>) -> Result<Record> {
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
            return self.report_plan(package, plan, there, &earlier).await;
        }
        let copied = self.copy_and_make_room(plan, there, &carrying, missing).await?;
        let settings = &self.settings.register;
        let (source, target, place) = (&self.source, &self.target, &self.place);
        let registering =
            Registering { source, target, place, carrying: &carrying, settings, signer: self.signer.as_ref() };
        let facts = Source::of(package, self.caller.clone());
        let withdrawn = async {
            let taken = taking_back.await.map_err(|error| anyhow!("{error:#}"))?;
            Ok(taken.withdrawn)
        };
        registering.run(package, &copied, earlier, (&self.clock, facts), withdrawn).await
    }

    /// Copies, and creates the group meanwhile: neither waits for the other, and nothing is registered before both.
    async fn copy_and_make_room(&self, plan: Plan, there: There, carrying: &Carrying, missing: bool) -> Result<Copied> {
        let register = &self.settings.register;
        let making_room = async {
            if missing {
                create_group(&self.source, &self.target, &self.group, &self.place, register, self.printer).await?;
            }
            Ok(())
        };
        let copying = self.copying(carrying);
        let done = tokio::try_join!(copying.copy(plan, there), making_room);
        if done.is_err() {
            // What is under way when the group cannot be created is given up, as when copying fails itself.
            for left in self.uploads.abort_all().await {
                self.printer.say(&format!("an upload stays open until the next run: {left}"));
            }
        }
        Ok(done?.0)
    }

    async fn report_plan(&self, package: &Package, plan: Plan, there: There, earlier: &Earlier) -> Result<Record> {
        let preview = self.copying(&self.settings.carry.carrying()).preview(plan, there).await?;
        let own = earlier.usable();
        let done = own.is_some_and(|own| own.is_settled() && !own.is_withdrawn());
        let outcome = if done { Conclusion::AlreadyPromoted } else { Conclusion::Planned };
        let mut record = self.record(outcome, package).with_preview(&preview)?;
        record.target = Some(self.place.target(package.arn(), own.map(|own| (&own.arn, own.approval()))));
        Ok(record)
    }

    /// The version was promoted to other locations: nothing is copied a second time.
    async fn report_elsewhere(&self, package: &Package, own: &Own) -> Result<Record> {
        self.printer.say(&format!("{} was promoted with other settings; it stays as it is", own.arn));
        let place = self.place.of(own, package.arn()).unwrap_or_else(|| self.place.clone());
        if let Some((before, own)) = recorded(&self.target, &place, package.arn()).await?
            && let Some(record) = self.renew(package, &place, before, &own).await?
        {
            return Ok(record);
        }
        let mut record = self.record(Conclusion::AlreadyPromoted, package);
        record.target = Some(place.target(package.arn(), Some((&own.arn, own.approval()))));
        Ok(record)
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
