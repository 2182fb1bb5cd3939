//! The flags for a page that is kept in a bucket.

use clap::Args;

use crate::model::arn::{KmsKeyArn, Malformed};
use crate::model::location::Location;

/// The flags for a page that is kept in a bucket.
#[derive(Debug, Args)]
#[command(next_help_heading = "Page in a bucket")]
pub struct PageArgs {
    /// Object of the target account that the page replaces, such as s3://serving/status.html; it stays as it is if a
    /// group cannot be read
    #[arg(long, env = "PROMOTE_PAGE", value_name = "S3-URL", value_parser = object)]
    pub page: Option<Location>,
    /// KMS key in the target account that encrypts the page [default: the bucket's default encryption]
    #[arg(long, env = "PROMOTE_KMS_KEY_ARN", value_name = "ARN")]
    pub kms_key_arn: Option<KmsKeyArn>,
}

/// An object, and no prefix.
fn object(text: &str) -> Result<Location, Malformed> {
    let location: Location = text.parse()?;
    match location.key.is_empty() || location.key.ends_with('/') {
        false => Ok(location),
        true => {
            Err(Malformed::new("the URL of an object", "s3://<bucket>/<key>, such as s3://serving/status.html", text))
        }
    }
}
