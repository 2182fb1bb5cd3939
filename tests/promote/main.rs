//! The binary as its users run it, against stand-ins for AWS on loopback: exit codes, both streams, and what the
//! servers hold afterwards.

mod full;
mod support;
mod world;
