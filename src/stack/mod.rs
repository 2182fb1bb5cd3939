//! The stack: what a module is told goes in; a CloudFormation template, its parameters, a CDK cloud assembly and the
//! policies that the source account needs come out. Nothing here calls AWS.
//!
//! The template is `stack/promote.yaml`, which can be read and deployed without this program; it is part of the
//! binary, so that none of this needs a file.

pub mod agreement;
pub mod assembly;
pub mod asset;
pub mod grants;
pub mod inputs;
pub mod names;
pub mod parameters;
pub mod template;
