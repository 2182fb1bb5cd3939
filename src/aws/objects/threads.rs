//! Threads for connections that carry much. All else runs on the one thread of the program: where S3 does the work,
//! waking other threads for each answer took a third of the processor time (5,000 copies, two cores).

use std::future::poll_fn;
use std::pin::pin;
use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

/// One thread for each core. They start with the first large object.
static THREADS: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().enable_all().build().expect("the system allows one thread for each core")
});

/// From so many bytes on, moving them takes longer than waking a thread.
const WORTH: u64 = 1 << 20;

/// Makes a call that moves so many bytes. If it opens a connection, that is served by these threads: they encrypt,
/// decrypt and move the bytes. Few bytes are not worth it.
pub(super) async fn on_threads<Call: Future>(bytes: u64, call: Call) -> Call::Output {
    let mut call = pin!(call);
    poll_fn(|context| {
        let _entered = (bytes >= WORTH).then(|| THREADS.enter());
        call.as_mut().poll(context)
    })
    .await
}
