//! Keeps the page of `promote status` in a bucket.

use anyhow::Result;

use crate::aws::objects::{Attributes, Encryption};
use crate::model::arn::KmsKeyArn;
use crate::model::location::Location;
use crate::run::context::Context;

/// Writes a page in place of the one that is there.
///
/// # Errors
/// The object cannot be written.
pub async fn put_page(context: &Context, at: &Location, page: String, kms_key: Option<KmsKeyArn>) -> Result<()> {
    let content_type = Some("text/html; charset=utf-8".to_owned());
    // Browsers ask again: the page changes with each run.
    let attributes = Attributes { content_type, cache_control: Some("no-cache".to_owned()), ..Attributes::default() };
    let target = context.target().await?;
    target.objects().replace(at, page.into_bytes(), &attributes, &Encryption { kms_key }).await?;
    Ok(())
}
