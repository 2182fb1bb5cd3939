//! The flags that replace values of the source package.

use clap::Args;
use clap::builder::BoolishValueParser;

use super::values::key;
use crate::model::arn::{KmsKeyArn, RoleArn};
use crate::model::image::RepositoryPrefix;
use crate::plan::draft::PackageOverrides;
use crate::plan::environment::EnvironmentUrls;
use crate::plan::images::Images;

/// The flags that replace values of the source package.
#[derive(Debug, Args)]
#[command(next_help_heading = "Package overrides")]
pub struct OverrideArgs {
    /// KMS key that encrypts the artifacts in the target, and the package if the source package is encrypted
    /// [default: the bucket's default encryption]
    #[arg(long, env = "PROMOTE_KMS_KEY_ARN", value_name = "ARN", value_parser = key)]
    pub kms_key_arn: Option<KmsKeyArn>,
    /// Algorithm in the target account to use instead of the source package's algorithm
    #[arg(long, env = "PROMOTE_TARGET_ALGORITHM", value_name = "ARN|NAME")]
    pub target_algorithm: Option<String>,
    /// Role in the target account that validates the package; without it, the package is not validated
    #[arg(long, env = "PROMOTE_TARGET_VALIDATION_ROLE_ARN", value_name = "ARN")]
    pub target_validation_role_arn: Option<RoleArn>,
    /// Continue if the package has unknown fields; they are dropped and reported
    #[arg(long, env = "PROMOTE_IGNORE_UNKNOWN_FIELDS", value_parser = BoolishValueParser::new())]
    pub ignore_unknown_fields: bool,
    /// Continue if metrics reports or drift baselines do not exist; their URLs are carried over unchanged and reported
    #[arg(long, env = "PROMOTE_IGNORE_MISSING_REPORTS", value_parser = BoolishValueParser::new())]
    pub ignore_missing_reports: bool,
    /// Which S3 URLs in environment variables of the containers are copied
    #[arg(long, env = "PROMOTE_ENVIRONMENT_URLS", value_name = "WHICH", value_enum, default_value = "known")]
    pub environment_urls: EnvironmentUrls,
    #[command(flatten)]
    pub images: ImageArgs,
}

/// The flags for container images.
#[derive(Debug, Args)]
#[command(next_help_heading = "Container images")]
pub struct ImageArgs {
    /// Whether container images are copied
    #[arg(long, env = "PROMOTE_IMAGES", value_name = "WHAT", value_enum, default_value = "copy")]
    pub images: Images,
    /// Prefix of the names of the target repositories, such as models/ [default: none]
    #[arg(long, env = "PROMOTE_IMAGE_REPOSITORY_PREFIX", value_name = "PREFIX")]
    pub image_repository_prefix: Option<RepositoryPrefix>,
    /// Fail if a repository does not exist in the target, instead of creating it
    #[arg(long, env = "PROMOTE_NO_CREATE_REPOSITORY", value_parser = BoolishValueParser::new())]
    pub no_create_repository: bool,
}

impl OverrideArgs {
    /// The values that replace values of the source package.
    pub fn overrides(&self) -> PackageOverrides {
        PackageOverrides {
            kms_key: self.kms_key_arn.clone(),
            algorithm: self.target_algorithm.clone(),
            validation_role: self.target_validation_role_arn.clone(),
            ignore_unknown_members: self.ignore_unknown_fields,
            ignore_missing_reports: self.ignore_missing_reports,
            environment_urls: self.environment_urls,
            images: self.images.images,
            image_repository_prefix: self.images.image_repository_prefix.clone().unwrap_or_default(),
            no_create_repository: self.images.no_create_repository,
        }
    }
}
