//! Promotes SageMaker model packages from one AWS account to another, with every artifact that they refer to.
//!
//! ```text
//! GroupArn ─find─▶ Package ─plan─▶ Plan ─copy─▶ Copied ─register─▶ Registration ─record─▶ Record
//!          (source account)      (pure)      (S3 → S3)     (target account)        (JSON)
//! ```
//!
//! Each step takes the type of the step before, so that nothing can be registered before everything is copied and
//! verified. The folders of the crate follow this path. [`aws`] holds the sessions, registries and object stores of the two accounts,
//! and [`cli`] the verbs. [`stack`] is the pipeline that runs all of it whenever the source approves or rejects a
//! version.

pub mod aws;
pub mod cli;
pub mod copy;
pub mod model;
pub mod plan;
pub mod record;
pub mod register;
pub mod run;
pub mod schema;
pub mod stack;
pub mod store;
