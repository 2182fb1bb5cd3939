//! Copies, confirms or previews the artifacts of a plan.

use std::sync::Arc;

use anyhow::Result;

use super::event::Event;
use super::promotion::Promotion;
use super::settings::CopySettings;
use crate::aws::objects::{Encryption, TargetObjects};
use crate::copy::{Copied, CopyMode, Engine, Holds, Meter, Preview, STALL, There, Tuning, confirm, copy, preview};
use crate::model::destination::Destination;
use crate::model::layout::Layout;
use crate::plan::Plan;

impl Promotion<'_> {
    /// Copies every artifact of a plan to the target.
    pub async fn copy(&self, settings: &CopySettings, plan: Plan, there: There) -> Result<Copied> {
        let meter = Arc::new(Meter::default());
        let (objects, bytes) = there.missing(&plan)?;
        let folder = plan.layout.folder();
        self.context.notice(Event::CopyStarted { objects, bytes, folder: &folder, meter: &meter });
        let (tuning, encryption) = (self.tuning(settings), self.encryption());
        let target = self.patient_target(&tuning);
        let copied = copy(plan, there, &self.engine(tuning, &target, &encryption, &meter)).await;
        self.context.notice(Event::CopyEnded);
        copied
    }

    /// Confirms that every artifact of a plan exists in the target.
    pub async fn confirm(&self, plan: Plan, there: There) -> Result<Copied> {
        let (tuning, encryption, meter) = (Tuning::default(), self.encryption(), Meter::default());
        confirm(plan, there, &self.engine(tuning, self.target.objects(), &encryption, &meter)).await
    }

    /// Previews what [`Promotion::copy`] would copy.
    pub async fn preview(&self, settings: &CopySettings, plan: Plan, there: There) -> Result<Preview> {
        let (tuning, encryption, meter) = (self.tuning(settings), self.encryption(), Meter::default());
        preview(plan, there, &self.engine(tuning, self.target.objects(), &encryption, &meter)).await
    }

    /// How artifacts are copied. S3 does not copy from one partition to another.
    fn tuning(&self, settings: &CopySettings) -> Tuning {
        let tuning = settings.tuning();
        match tuning.mode {
            CopyMode::Auto if self.group.partition() != self.destination.group.partition() => {
                Tuning { mode: CopyMode::Stream, ..tuning }
            }
            _ => tuning,
        }
    }

    fn patient_target(&self, tuning: &Tuning) -> TargetObjects {
        self.target.objects().with_patience(tuning.stall.as_secs_f64() / STALL.as_secs_f64())
    }

    /// How new objects are encrypted.
    pub fn encryption(&self) -> Encryption {
        Encryption { kms_key: self.overrides.kms_key.clone() }
    }

    /// The holds of the target group.
    pub fn holds(&self) -> Holds<'_> {
        let Destination { bucket, prefix, group, .. } = &self.destination;
        let promotions = Layout::promotions(bucket, prefix, group.name());
        Holds { target: self.target.objects(), group, promotions, encryption: self.encryption() }
    }

    fn engine<'a>(
        &'a self,
        tuning: Tuning,
        target: &'a TargetObjects,
        encryption: &'a Encryption,
        meter: &'a Meter,
    ) -> Engine<'a> {
        Engine {
            source: self.source.objects(),
            target,
            tuning,
            limits: &self.context.limits,
            separate_principals: self.target.is_separate_from(self.source),
            encryption,
            meter,
            uploads: &self.uploads,
        }
    }
}
