//! Parses, runs, exits.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    promote::cli::run(std::env::args_os()).await.into()
}
