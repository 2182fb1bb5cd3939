//! The record of a run: the document, its history beside the artifacts, its signature and its verification.

pub(crate) mod another_source;
mod conclusion;
mod document;
mod facts;
pub(crate) mod files;
mod followed;
pub(crate) mod hashing;
pub(crate) mod history;
mod image_agreement;
mod images;
mod plan_age;
mod plan_differences;
mod plan_digest;
mod planned;
pub(crate) mod recorded;
mod reviewed;
pub(crate) mod signature;
pub(crate) mod signing;
pub(crate) mod stored;
mod unconfirmed;
pub mod verification;

pub use crate::copy::{Outcome, Verified};
pub use crate::image::ImageOutcome;
pub use crate::plan::Warning;
pub use crate::plan::not_carried::NotCarried;
pub use crate::register::sync::{Change, ChangeResult};
pub use crate::store::List;
pub use conclusion::Conclusion;
pub use document::{Record, SCHEMA};
pub use facts::{ArtifactFacts, Build, ReferenceFacts, Source, SourcePackage, Target, Tool};
pub use followed::{FollowResult, Followed, WithdrawalResult, Withdrawn};
pub(crate) use image_agreement::refuse_other_images;
pub use images::ImageFacts;
pub use planned::{PlanFacts, PlannedAct, PlannedWrite, ReviewedPlanFacts};
pub use reviewed::ReviewedPlan;
pub use unconfirmed::Unconfirmed;
