//! The `promote` program.

use std::process::ExitCode;

use tokio::runtime::Builder;

// One thread moves 5 Gbit/s of streamed objects in each direction, with TLS: 1.2 s of processor time for a GiB without it
// (`make bench`, 30 November 2026), and 0.4 s for AES-GCM. More threads for large objects gained nothing (0.96 to 1.00).
fn main() -> ExitCode {
    let runtime =
        Builder::new_current_thread().enable_all().build().expect("the system lets a program wait for events");
    let exit = runtime.block_on(promote::cli::run(std::env::args_os()));
    // After Ctrl-C, a read of standard input may still be pending. Do not wait for the read.
    runtime.shutdown_background();
    exit.into()
}
