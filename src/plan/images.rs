//! The container images of a version: which are copied, and what they consist of.

mod approved;
mod classify;
mod content;
mod lookup;
mod planned;
mod referrers;
mod rewrite;

pub use classify::{Classified, ImageRegistry, ImageUse, classified, uses};
pub use content::{Content, Layer};
pub use lookup::{ImageAccess, look_up};
pub use planned::{Disposition, Images, Kept, PlannedImage};
pub use rewrite::{ImageTarget, image_key, rewrite};
