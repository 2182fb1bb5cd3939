//! The binary as its users run it, against stand-ins for AWS on loopback: exit codes, both streams, and what the
//! servers hold afterwards.

mod aws;
mod cli;
mod copy;
mod image;
mod plan;
mod record;
mod register;
mod run;
mod snapshot;
mod stack;
mod stand_in;
mod support;
mod world;
