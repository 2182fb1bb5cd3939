//! The sentences that a person reads while a run works.

use std::sync::{Mutex, PoisonError};

use indicatif::HumanBytes;

use super::printer::{say, warn};
use super::progress::Progress;
use crate::run::{Event, Observer};

/// Shows events on standard error.
#[derive(Debug, Default)]
pub(super) struct Terminal {
    progress: Mutex<Option<Progress>>,
}

impl Terminal {
    fn show(&self, progress: Option<Progress>) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    /// Stops to show progress.
    pub fn stop(&self) {
        self.show(None);
    }
}

impl Observer for Terminal {
    fn notice(&self, event: Event<'_>) {
        match event {
            Event::CopyStarted { objects, bytes, folder, meter } => {
                if objects > 0 {
                    let what = if objects == 1 { "object" } else { "objects" };
                    say(&format!("copying {objects} {what}, {}, to {folder}", HumanBytes(bytes)));
                }
                self.show(Some(Progress::show(meter.clone())));
            }
            Event::CopyEnded => self.stop(),
            Event::Withdrawn { promoted, source } => {
                say(&format!("withdrew {promoted}: its source {source} is Rejected"));
            }
            Event::WithdrawalFailed(error) => warn(error),
            Event::Drifted { promoted, fields } => {
                let fields = fields.join(", ");
                say(&format!("drift: {promoted} cannot follow its source, which has changed {fields}"));
            }
            Event::PromotedWithOtherSettings(promoted) => {
                say(&format!("{promoted} was promoted with other settings; it stays as it is"));
            }
            Event::GroupNotReadable { part, error } => {
                say(&format!("the new group gets no {part} of the source group: {error}"));
                say(&format!("hint: {}", error.hint));
            }
            Event::UploadLeftOpen(error) => say(&format!("an upload stays open until the next run: {error}")),
        }
    }
}
