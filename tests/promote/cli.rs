//! The command line: help, output, and refusals.

mod help;
mod output;
mod refusals;
