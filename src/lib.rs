//! Promotes SageMaker model packages from one AWS account to another, with every artifact that they refer to.
//!
//! # The data path
//!
//! ```text
//! GroupArn ─find─▶ Package ─plan─▶ Plan ─copy─▶ Copied ─register─▶ Registration ─record─▶ Record
//!          (source account)             (S3 → S3, ECR → ECR)  (target account)    (JSON)
//! ```
//!
//! Each step takes the type that the previous step returns. A version cannot be registered before every artifact
//! and every image is copied and verified: registering consumes a `Copied`, and a dry run that has not copied has a `Preview`.
//!
//! | Step | Folder | Result |
//! |---|---|---|
//! | find | `plan/find` | The latest Approved version of the source group, described as a `Package` |
//! | plan | `plan` | The request with its references rewritten, what to copy, the fields that are not carried over |
//! | copy | `copy`, `image` | Every object, copied by S3 or streamed, and every container image, all verified |
//! | register | `register` | The promoted version: created pending approval, compared with the request, approved last |
//! | record | `record` | The document of the run, stored beside the artifacts, and signed if there is a key |
//!
//! `docs/architecture.md` follows `promote full` through these folders. A folder imports only folders above it in this
//! list, and `stack` imports `model` only:
//!
//! - [`model`]: ARNs, locations, packages, approval statuses.
//! - `store`: temporary files and tables, for documents and lists that are larger than memory.
//! - [`schema`]: the members that AWS accepts and returns, references to S3 objects, and comparison.
//! - [`aws`]: sessions, registries and object stores of the two accounts.
//! - `plan`, `copy`, `image`, `register`, [`record`]: the steps.
//! - [`run`]: the use cases, which call the steps in order.
//! - `stack`: the pipeline that runs `promote full` when a source version is approved or rejected.
//! - [`cli`]: arguments, text and JSON output, progress, signals and exit codes.
//!
//! # The library
//!
//! Each use case is a function in [`run`] that takes a [`Context`](run::Context) and settings. Runs with one context
//! share its limits, and may run concurrently.
//!
//! ```no_run
//! use promote::aws::session::Access;
//! use promote::run::settings::FullSettings;
//! use promote::run::{Context, full};
//!
//! # async fn example() -> anyhow::Result<()> {
//! let source = Access { profile: Some("training".into()), ..Access::default() };
//! let target = Access { profile: Some("production".into()), ..Access::default() };
//! let context = Context::new(source, target);
//! let settings: FullSettings = serde_json::from_value(serde_json::json!({
//!     "selection": {"group": "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/churn"},
//!     "destination": {"bucket": "serving-models"},
//! }))?;
//! let report = full(&context, &settings).await?;
//! if let Some(version) = report.promoted() {
//!     println!("promoted {version}");
//! }
//! # Ok(())
//! # }
//! ```

#![warn(clippy::too_many_lines)]

pub mod aws;
pub mod cli;
pub(crate) mod copy;
pub(crate) mod image;
pub mod model;
pub(crate) mod plan;
pub mod record;
pub(crate) mod register;
pub mod run;
pub mod schema;
pub(crate) mod stack;
pub(crate) mod store;
