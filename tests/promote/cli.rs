//! The command line: help, output, and refusals.

mod failures;
mod help;
mod output;
mod refusals;
mod steps;
mod usage;
