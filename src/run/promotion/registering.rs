//! Registers a copied version and writes its record: the last steps of a promotion.

use anyhow::Result;

use super::Promotion;
use crate::copy::Claims;
use crate::image::Copied;
use crate::model::approval::DecidedBy;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::plan::Warning;
use crate::record::{Conclusion, Record, Target, Unconfirmed};
use crate::register::decision::RecordedApproval;
use crate::register::existing::ExistingPromotions;
use crate::register::{Registrar, Registration, RegistrationEvent, SourceNow};
use crate::run::event::Event;
use crate::run::settings::RegistrationSettings;

/// The last steps of a promotion: registers the version and writes its record.
pub(in crate::run) struct LastSteps<'a> {
    pub promotion: &'a Promotion<'a>,
    pub settings: &'a RegistrationSettings,
    /// Whether a version whose source is Rejected is Rejected too.
    pub withdraw: bool,
}

impl LastSteps<'_> {
    /// Registers the version in an existing group, and writes the record beside the artifacts.
    ///
    /// `recorded`: the approval of the version, if it is recorded.
    ///
    /// # Errors
    /// The version is not promoted. A failure after the promotion is reported as unconfirmed in the record.
    pub async fn run(
        &self,
        package: &Package,
        copied: Copied,
        existing: ExistingPromotions,
        recorded: Option<RecordedApproval>,
    ) -> Result<Record> {
        let Promotion { context, source, target, destination, .. } = self.promotion;
        let layout = destination.layout(package.arn());
        let tell = |event: RegistrationEvent<'_>| context.notice(Event::Registration { source: package.arn(), event });
        let registrar = Registrar {
            source: SourceNow::new(source.registry(), self.promotion.all_holds()),
            registry: target.registry(),
            claims: Claims { target: target.objects(), layout, encryption: self.promotion.encryption() },
            destination,
            policy: self.settings.policy(recorded.clone(), self.withdraw),
            started: self.promotion.started.time(),
            tell: &tell,
        };
        let others: Vec<Warning> = existing.warnings().collect();
        let registration = registrar.register(package, copied, existing);
        let (registration, warnings) = tokio::join!(registration, self.promotion.uploads.delete_states());
        let (registration, copied) = registration?;
        let mut record = self.promotion.record(Conclusion::of(&registration), package).with_copied(&copied)?;
        record.changes.clone_from(&registration.added);
        record.kms_key.clone_from(&self.promotion.overrides.kms_key);
        record.warnings.extend(registration.warnings.iter().cloned().chain(others).chain(warnings));
        let mut promoted = Target::of(destination, package.arn());
        promoted.set_version(&registration.arn, registration.created.as_ref());
        promoted.set_approval(registration.approval.clone());
        record.target = Some(promoted);
        // The record has the values that were set, so it does not wait until the version is described again.
        let (read_back, written) = tokio::join!(
            registration.read_back(target.registry()),
            self.write(&record, &registration, recorded.is_some())
        );
        if let (Some(approval), Some(target)) = (read_back.approval, &mut record.target) {
            if approval != registration.approval.status {
                target.decided_by = Some(DecidedBy::Target);
            }
            target.approval_status = Some(approval);
        }
        record.add_unconfirmed(read_back.unconfirmed.map(Unconfirmed::from));
        record.add_unconfirmed(written.err().map(|error| Unconfirmed::because(&error)));
        record.add_unconfirmed(registration.left.into_iter().map(Unconfirmed::from));
        Ok(record)
    }

    async fn write(&self, record: &Record, registration: &Registration, is_recorded: bool) -> Result<Location> {
        let records = self.promotion.records(&self.promotion.destination);
        if registration.reapproved || is_recorded && registration.changed {
            records.append(record).await
        } else {
            records.write(record, registration.changed).await
        }
    }
}
