//! The domain: what a promotion is, without the command line and without the AWS clients.
//!
//! In the order of the data path: [`group`] finds a version, [`package`] reads it, [`draft`] takes what is carried,
//! [`references`] and [`inventory`] find what it refers to, [`plan`] decides, [`copies`] copies, [`registration`]
//! registers and [`record`] writes it down. Beside it, [`withdrawal`] takes back what the source has rejected.

pub mod accounts;
pub mod arn;
pub mod artifacts;
pub mod comparison;
pub mod copies;
pub mod draft;
pub mod earlier;
pub mod field;
pub mod folder;
pub mod group;
pub mod growth;
pub mod hashing;
pub mod inventory;
pub mod layout;
pub mod left;
pub mod listing;
pub mod location;
pub mod manifest;
pub mod members;
pub mod meter;
pub mod package;
pub mod plan;
pub mod record;
pub mod references;
pub mod registration;
pub mod renewal;
pub mod rewriting;
pub mod scratch;
pub mod shapes;
pub mod signature;
pub mod spool;
pub mod standing;
pub mod traps;
pub mod uploads;
pub mod verification;
pub mod withdrawal;
