//! The command line: arguments, rendering, progress, signals and exit codes. Calls AWS through [`crate::run`] only.

mod arguments;
mod command;
mod copy_artifacts;
mod doctor;
mod ending;
mod exit;
mod failed;
mod find_latest;
mod full;
mod generate;
mod group_runs;
mod holding;
mod inert;
mod known;
mod many;
mod of_groups;
mod printer;
mod progress;
mod promotions;
mod record_file;
mod register;
mod render;
mod running;
mod signals;
mod stack;
mod status;
mod step_before;
mod terminal;
mod variables;
mod verbosity;
mod verify;
mod withdraw;
mod wrap;

pub use command::run;
pub use exit::Exit;
