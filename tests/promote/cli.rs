//! The command line: help, output, and refusals.

mod failures;
mod help;
mod mistakes;
mod output;
mod refusals;
mod steps;
mod usage;
