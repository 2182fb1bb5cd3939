//! Threads for connections that carry objects. All else runs on the one thread of the program: where S3 does the work,
//! waking other threads for each answer took a third of the processor time (5,000 copies, two cores).

use std::future::poll_fn;
use std::pin::pin;
use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

/// One thread for each core. They start with the first object that passes through this process.
static THREADS: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().enable_all().build().expect("the system allows one thread for each core")
});

/// Makes a call of which the connection, if it opens one, is served by these threads: they encrypt, decrypt and move
/// the bytes.
pub(super) async fn on_threads<Call: Future>(call: Call) -> Call::Output {
    let mut call = pin!(call);
    poll_fn(|context| {
        let _entered = THREADS.enter();
        call.as_mut().poll(context)
    })
    .await
}
