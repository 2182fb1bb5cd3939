//! The `promote` program.

use std::process::ExitCode;

use tokio::runtime::Builder;

// Streaming a GiB takes 1.2 s of processor time (`make bench`, 30 November 2026), and about 0.4 s more with TLS: one thread
// moves some 5 Gbit/s in each direction. A thread for each core took 0.96 to 1.00 of the time, on 2 cores that the server
// shared.
fn main() -> ExitCode {
    let runtime =
        Builder::new_current_thread().enable_all().build().expect("the system lets a program wait for events");
    let exit = runtime.block_on(promote::cli::run(std::env::args_os()));
    // After Ctrl-C, a read of standard input may still be pending. Do not wait for the read.
    runtime.shutdown_background();
    exit.into()
}
