//! Copies, confirms or previews the artifacts and images of a plan.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;

use super::Promotion;
use crate::aws::objects::{Encryption, TargetObjects};
use crate::copy::{CopyMode, CopySettings, CopySummary, Engine, Meter, STALL, There, confirm, copy, preview};
use crate::image::{self, Copied, ImageEngine, Preview};
use crate::plan::Plan;
use crate::run::event::Event;

impl Promotion<'_> {
    /// Copies every artifact and every image of a plan to the target, concurrently.
    pub async fn copy(&self, settings: &CopySettings, plan: Plan, there: There) -> Result<Copied> {
        let meter = Arc::new(Meter::default());
        let images = plan.images.clone();
        let image_engine = self.image_engine(&meter);
        let prepared = image::prepare(&images, &image_engine).await?;
        let (objects, bytes) = there.missing(&plan)?;
        let (images_missing, layer_bytes) = prepared.missing();
        let folder = plan.layout.folder();
        self.context.notice(Event::CopyStarted {
            objects,
            bytes,
            images: images_missing,
            layer_bytes,
            folder: &folder,
            meter: &meter,
        });
        let (settings, encryption) = (self.effective(settings), self.encryption());
        let target = self.patient_target(&settings);
        let engine = self.engine(settings, &target, &encryption, &meter);
        let began = Instant::now();
        let copied = tokio::try_join!(async { copy(plan, there, &engine).await.map_err(Failed::Artifacts) }, async {
            prepared.copy().await.map_err(Failed::Images)
        });
        let copied = match copied {
            Ok((artifacts, images)) => {
                let summary = CopySummary::of(&meter.read(), began.elapsed());
                Ok(Copied::of(artifacts, images).with_summary(summary))
            }
            Err(Failed::Artifacts(error)) => Err(error),
            // The copies of artifacts were stopped.
            Err(Failed::Images(error)) => Err(self.uploads.leave(error).await),
        };
        self.context.notice(Event::CopyEnded);
        copied
    }

    /// Confirms that every artifact and every image of a plan exists in the target.
    pub async fn confirm(&self, plan: Plan, there: There) -> Result<Copied> {
        let (settings, encryption, meter) = (CopySettings::default(), self.encryption(), Meter::default());
        let images = plan.images.clone();
        let (engine, image_engine) =
            (self.engine(settings, self.target.objects(), &encryption, &meter), self.image_engine(&meter));
        let confirmed = tokio::try_join!(confirm(plan, there, &engine), image::confirm(&images, &image_engine));
        let (artifacts, images) = confirmed?;
        Ok(Copied::of(artifacts, images))
    }

    /// Previews what [`Promotion::copy`] would copy.
    pub async fn preview(&self, settings: &CopySettings, plan: Plan, there: There) -> Result<Preview> {
        let (settings, encryption, meter) = (self.effective(settings), self.encryption(), Meter::default());
        let images = plan.images.clone();
        let (engine, image_engine) =
            (self.engine(settings, self.target.objects(), &encryption, &meter), self.image_engine(&meter));
        let (plan, prepared) = tokio::try_join!(preview(plan, there, &engine), image::prepare(&images, &image_engine))?;
        Ok(Preview::of(plan, prepared.results().collect(), prepared.writes()))
    }

    fn image_engine<'a>(&'a self, meter: &'a Meter) -> ImageEngine<'a> {
        ImageEngine {
            source: self.source.images(),
            target: self.target.images(),
            create_repository: !self.overrides.no_create_repository,
            limits: &self.context.limits,
            meter,
        }
    }

    /// How artifacts are copied. S3 does not copy from one partition to another.
    fn effective(&self, settings: &CopySettings) -> CopySettings {
        match settings.mode {
            CopyMode::Auto if self.group.partition() != self.destination.group.partition() => {
                CopySettings { mode: CopyMode::Stream, ..*settings }
            }
            _ => *settings,
        }
    }

    fn patient_target(&self, settings: &CopySettings) -> TargetObjects {
        self.target.objects().with_patience(settings.stall().as_secs_f64() / STALL.as_secs_f64())
    }

    /// How new objects are encrypted.
    pub fn encryption(&self) -> Encryption {
        Encryption { kms_key: self.overrides.kms_key.clone() }
    }

    fn engine<'a>(
        &'a self,
        settings: CopySettings,
        target: &'a TargetObjects,
        encryption: &'a Encryption,
        meter: &'a Meter,
    ) -> Engine<'a> {
        Engine {
            source: self.source.objects(),
            target,
            settings,
            limits: &self.context.limits,
            separate_principals: self.target.is_separate_from(self.source),
            encryption,
            meter,
            uploads: &self.uploads,
        }
    }
}

/// Why the copy step failed.
enum Failed {
    Artifacts(anyhow::Error),
    Images(anyhow::Error),
}
