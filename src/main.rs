//! The `promote` program.

use std::process::ExitCode;

use tokio::runtime::Builder;

fn main() -> ExitCode {
    let runtime =
        Builder::new_current_thread().enable_all().build().expect("the system lets a program wait for events");
    let exit = runtime.block_on(promote::cli::run(std::env::args_os()));
    // After Ctrl-C, a read of standard input may still be pending. Do not wait for the read.
    runtime.shutdown_background();
    exit.into()
}
