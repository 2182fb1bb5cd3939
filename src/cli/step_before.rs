//! Reads the document of the previous step, which `--from` names.

use std::path::Path;

use anyhow::{Context, Result, bail};
use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::arguments::PackageArgs;
use crate::model::failure::{Failure, Hint};
use crate::record::{Record, Target};
use crate::run::settings::FoundVersion;
use crate::store::{Spooled, Spooling};

/// The result of the previous step.
#[derive(Debug)]
pub(super) struct StepBefore {
    /// The version.
    pub version: FoundVersion,
    /// The target that the artifacts were copied to, if they were copied.
    pub target: Option<Target>,
}

impl PackageArgs {
    /// Reads the document of the previous step, or takes the version from its flag.
    pub(super) async fn step_before(&self) -> Result<StepBefore> {
        let Some(from) = &self.from else {
            let Some(arn) = self.model_package.clone() else {
                bail!(Failure::new("no model package is given").hint("Pass --model-package or --from"))
            };
            return Ok(StepBefore { version: FoundVersion { arn, fingerprint: None }, target: None });
        };
        let record = read_document(from).await?;
        let package = record.source.package.ok_or_else(|| {
            Failure::new("the document of the previous step has no version, because none was approved")
                .hint("Run `promote find-latest` again when a version is approved")
        })?;
        let version = FoundVersion { arn: package.model_package_arn, fingerprint: Some(package.fingerprint) };
        Ok(StepBefore { version, target: record.target })
    }
}

async fn read_document(from: &Path) -> Result<Record> {
    let (name, read) = if from == Path::new("-") {
        ("standard input".to_owned(), read_all(tokio::io::stdin()).await)
    } else {
        let name = from.display().to_string();
        let file = tokio::fs::File::open(from).await.with_context(|| format!("reading {name}"))?;
        (name, read_all(file).await)
    };
    let text = read.with_context(|| format!("reading {name}"))?;
    Record::parse(&text)
        .with_context(|| format!("{name} is not the document of a previous step"))
        .hint("Run the previous step with --output json and the same release of promote")
}

async fn read_all(mut from: impl AsyncRead + Unpin) -> Result<Spooled> {
    let (mut text, mut chunk) = (Spooling::default(), BytesMut::with_capacity(64 << 10));
    while from.read_buf(&mut chunk).await? > 0 {
        text.append(&chunk)?;
        chunk.clear();
    }
    Ok(text.end())
}
