//! The command line: help, output, and refusals.

mod help;
mod output;
mod refusals;
mod steps;
mod usage;
