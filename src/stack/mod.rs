//! Makes the pipeline's stack: a CloudFormation template, its parameters, a CDK cloud assembly, and the policies of the
//! source account. Nothing here calls AWS.
//!
//! The template is `stack/promote.yaml`, which can be deployed without this program. The binary embeds the template.

pub mod agreement;
pub mod assembly;
pub mod asset;
pub mod grants;
mod image_uri;
pub mod inputs;
pub mod names;
pub mod parameters;
pub mod repositories;
pub mod schedule;
pub mod source;
pub mod template;
