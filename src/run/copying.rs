//! Copies, confirms or previews the artifacts of a plan.

use std::sync::Arc;

use anyhow::Result;

use super::event::Event;
use super::promotion::Promotion;
use super::settings::CopySettings;
use crate::aws::objects::Encryption;
use crate::copy::meter::Meter;
use crate::copy::{Copies, Engine, Purpose, STALL, There, copy};
use crate::plan::Plan;

impl Promotion<'_> {
    /// Runs the copy engine for a purpose.
    pub async fn copy(&self, settings: &CopySettings, plan: &Plan, there: There, purpose: Purpose) -> Result<Copies> {
        let meter = Arc::new(Meter::default());
        let tuning = settings.tuning(self.context.limits.concurrency);
        let target = self.target.objects().with_patience(tuning.stall.as_secs_f64() / STALL.as_secs_f64());
        let engine = Engine {
            source: self.source.objects(),
            target: &target,
            tuning,
            separate_principals: self.target.is_separate_from(self.source),
            encryption: &Encryption { kms_key: self.overrides.kms_key.clone() },
            meter: &meter,
            uploads: &self.context.uploads,
        };
        let (objects, bytes) = there.missing(plan)?;
        if purpose != Purpose::Copy {
            return copy(plan, there, &engine, purpose).await;
        }
        self.context.notice(Event::CopyStarted { objects, bytes, folder: &plan.layout.folder(), meter: &meter });
        let copies = copy(plan, there, &engine, purpose).await;
        self.context.notice(Event::CopyEnded);
        copies
    }
}
