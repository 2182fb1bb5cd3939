//! Threads for connections that move many bytes. Everything else runs on one thread: when S3 does the work, waking other
//! threads for each response took a third of the processor time (5,000 copies, two cores).

use std::future::poll_fn;
use std::pin::pin;
use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

/// One thread for each core. The threads start with the first large object.
static THREADS: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().enable_all().build().expect("the system allows one thread for each core")
});

/// Moving this number of bytes takes longer than waking a thread.
const WORTH: u64 = 1 << 20;

/// Makes a call that moves this number of bytes. A connection that the call opens is served by the threads if the number
/// is large enough.
pub(super) async fn on_threads<Call: Future>(bytes: u64, call: Call) -> Call::Output {
    let mut call = pin!(call);
    poll_fn(|context| {
        let _entered = (bytes >= WORTH).then(|| THREADS.enter());
        call.as_mut().poll(context)
    })
    .await
}
