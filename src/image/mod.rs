//! Copies the images of a plan to the target account's registry, and verifies them by their digests. Nothing can be
//! registered without [`Copied`].

mod copied;
mod download;
mod engine;
mod layer;
mod outcome;
mod parts;
mod prepared;
mod repository;

pub use copied::{Copied, Preview};
pub use engine::ImageEngine;
pub use outcome::{ImageDone, ImageOutcome, ImageWrite, tag_of, tagged};
pub use prepared::{confirm, prepare};
