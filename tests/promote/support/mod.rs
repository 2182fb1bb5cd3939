//! AWS on loopback for tests: S3, the model registry, ECR and STS in one process, stricter than other stand-ins,
//! with scripted faults. Start a `Cloud`, fill it, run the binary against it, look at what it holds.

pub mod calls;
mod cloud;
mod container;
pub mod ecr;
mod faults;
pub mod kms;
mod partition;
mod policies;
pub mod principals;
mod registry;
#[cfg(target_os = "linux")]
pub mod rounds;
pub mod s3;
mod server;
mod sts;
pub mod tls;
mod weather;
mod wire;
mod world;

pub use cloud::Cloud;
pub use ecr::{Layer, TestImage};
pub use faults::{Failure, Moment};
pub use principals::{Check, Principal, REGION, SOURCE_ACCOUNT, TARGET_ACCOUNT};
pub use registry::{Rate, Spelling};
pub use s3::{Attributes, Body};
pub use weather::Weather;

/// The longest time that a test waits for something. It is long because the machine may be busy.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(240);
