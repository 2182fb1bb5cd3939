//! The flags for a page that is kept in a bucket.

use clap::Args;

use crate::model::arn::{KmsKeyArn, Malformed};
use crate::model::layout::Layout;
use crate::model::location::Location;

/// The flags for a page that is kept in a bucket.
#[derive(Debug, Args)]
#[command(next_help_heading = "Page in a bucket")]
pub struct PageArgs {
    /// Object of the target account that the page replaces, such as s3://serving/status.html. The key must end in .html
    /// and must not be in the folder of a promotion. The object is not replaced if a group cannot be read
    #[arg(long, env = "PROMOTE_PAGE", value_name = "S3-URL", value_parser = page)]
    pub page: Option<Location>,
    /// KMS key in the target account that encrypts the page [default: the bucket's default encryption]
    #[arg(long, env = "PROMOTE_KMS_KEY_ARN", value_name = "ARN")]
    pub kms_key_arn: Option<KmsKeyArn>,
}

/// An object that can be a page: what it replaces is neither a model nor in the folder of a promotion.
fn page(text: &str) -> Result<Location, Malformed> {
    let location: Location = text.parse()?;
    let form = match &location.key {
        key if !key.ends_with(".html") => {
            "s3://<bucket>/<key>, whose key ends in .html, such as s3://serving/status.html"
        }
        key if Layout::is_reserved(key) => {
            "a key outside of the folders of promotions, such as s3://serving/status.html"
        }
        _ => return Ok(location),
    };
    Err(Malformed::new("the URL of a page", form, text))
}
