//! The binary as its users run it, against stand-ins for AWS on loopback: exit codes, both streams, and what the
//! servers hold afterwards.

mod copying;
mod faults;
mod full;
mod help;
mod interruption;
mod keys;
mod late;
mod library;
mod lossless;
mod memory;
mod output;
mod permissions;
mod races;
mod records;
mod references;
mod refusals;
mod registering;
#[cfg(target_os = "linux")]
mod rounds;
mod sessions;
mod signing;
mod snapshot;
mod stack;
mod stand_in;
mod status;
mod support;
mod sync;
mod verify;
mod versions;
mod withdraw;
mod world;
