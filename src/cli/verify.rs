//! `promote verify`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use clap::builder::BoolishValueParser;

use super::arguments::{BucketArgs, OutputArgs, SourceArgs, TargetArgs};
use super::exit::Exit;
use super::printer::Printer;
use crate::model::arn::{KmsKeyArn, PackageArn};
use crate::model::layout::TargetPrefix;
use crate::model::location::BucketName;
use crate::record::verification::Verdict;
use crate::run::settings::{SignedBy, VerifySettings};
use crate::run::{Context, verify};

/// Check a promoted version against its record
///
/// Compares the version and every object in the target with the record, and lists what is changed, missing or
/// unverifiable.
/// The source account is needed for --deep only. Exits 5 if something is changed or missing, 3 if something is
/// unverifiable, 1 if the version could not be checked.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Promoted version to check
    #[arg(long, env = "PROMOTE_MODEL_PACKAGE", value_name = "ARN", help_heading = "Model package")]
    model_package: PackageArn,
    /// Read every byte, and compare the bytes with the recorded checksum and with the source if it can be read
    #[arg(long, env = "PROMOTE_DEEP", value_parser = BoolishValueParser::new())]
    deep: bool,
    /// Require records signed by this KMS key; its public key is fetched from KMS
    #[arg(
        long,
        alias = "signing-key-arn",
        env = "PROMOTE_SIGN_KEY",
        value_name = "ARN",
        conflicts_with = "public_key",
        help_heading = "Signature"
    )]
    sign_key: Option<KmsKeyArn>,
    /// Public key of the signing key in PEM, to check signatures without KMS
    #[arg(long, env = "PROMOTE_PUBLIC_KEY", value_name = "FILE", help_heading = "Signature")]
    public_key: Option<PathBuf>,
    /// Bucket of the record [default: the bucket of the version's artifacts]
    #[arg(
        long,
        alias = "target-bucket-name",
        env = "PROMOTE_TARGET_BUCKET",
        value_name = "BUCKET",
        help_heading = "Target"
    )]
    target_bucket: Option<BucketName>,
    /// Key prefix that the version was promoted with [default: the prefix of the version's artifacts]
    #[arg(long, env = "PROMOTE_TARGET_PREFIX", value_name = "PREFIX", help_heading = "Target")]
    target_prefix: Option<TargetPrefix>,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    buckets: BucketArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Verify {
    pub(super) fn context(&self) -> Context {
        let mut target = self.target.access();
        target.region = Some(self.model_package.region().clone());
        let (source, target) = self.buckets.access(self.source.access(None), target);
        Context::new(source, target)
    }

    pub(super) async fn run(&self, context: &Context, printer: &Printer) -> Result<Exit> {
        let settings = VerifySettings {
            version: self.model_package.clone(),
            deep: self.deep,
            signed_by: self.signed_by()?,
            bucket: self.target_bucket.clone(),
            prefix: self.target_prefix.clone(),
        };
        let verification = verify(context, &settings).await?;
        printer.document(&verification)?;
        Ok(match verification.outcome {
            Verdict::Identical | Verdict::Kept => Exit::Done,
            Verdict::Changed | Verdict::Missing => Exit::Changed,
            Verdict::Unverifiable => Exit::Unconfirmed,
        })
    }

    fn signed_by(&self) -> Result<Option<SignedBy>> {
        let Some(file) = &self.public_key else { return Ok(self.sign_key.clone().map(SignedBy::Key)) };
        let pem = std::fs::read_to_string(file).with_context(|| format!("--public-key {}", file.display()))?;
        Ok(Some(SignedBy::PublicKey(pem)))
    }
}
