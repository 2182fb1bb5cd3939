//! The limits that all copies of a process share: concurrent requests, and memory.

use tokio::sync::{Semaphore, SemaphorePermit};

/// The memory of all copies, in bytes: objects that are buffered completely, and the buffers of streamed objects.
pub(super) const MEMORY: u64 = 64 << 20;
/// The unit of the memory semaphore, in bytes.
const UNIT: u64 = 64 << 10;
/// The memory of one streamed object, in bytes, in the buffers of two connections. Measured: 64 concurrent objects took
/// 92 MiB (27 November 2026). The limit admits 36 objects.
const PASSING: u64 = 7 << 18;
/// The largest object that is buffered completely, in bytes.
const LARGEST_HELD: u64 = 1 << 20;
/// The additional memory of the connections of a buffered object, in bytes. Measured with objects of 16 KiB to 1 MiB.
const BUFFERS: u64 = 384 << 10;

/// The default number of concurrent requests. S3 accepts 3,500 writes per second and prefix (performance guidelines),
/// which 256 concurrent requests of 70 ms reach.
const CONCURRENCY: usize = 256;

/// The layers of images that are copied at a time, in bytes: four large ones, or 32 small ones. A run that is killed has
/// completed the layers that it began first, and the memory holds no more than four parts of 10 MiB anyway.
const LAYERS: u64 = 64 << 20;
/// The bytes that a large layer and a small one count for.
const LARGE_LAYER: u64 = LAYERS / 4;
const SMALL_LAYER: u64 = LAYERS / 32;

/// Limits of requests and memory, shared by several copies.
#[derive(Debug)]
pub struct Limits {
    requests: Semaphore,
    memory: Semaphore,
    layers: Semaphore,
    concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(CONCURRENCY)
    }
}

impl Limits {
    /// Limits of `concurrency` S3 requests, at least 1, and 64 MiB of memory.
    pub fn new(concurrency: usize) -> Self {
        let concurrency = concurrency.max(1);
        let memory = Semaphore::new(units(MEMORY) as usize);
        let layers = Semaphore::new(units(LAYERS) as usize);
        Self { requests: Semaphore::new(concurrency), memory, layers, concurrency }
    }

    /// The number of concurrent requests.
    pub(super) fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Waits until a request may be sent.
    pub(crate) async fn request(&self) -> SemaphorePermit<'_> {
        self.requests.acquire().await.expect("the semaphore is never closed")
    }

    /// Waits until a layer of this size in bytes may be copied.
    pub(crate) async fn layer(&self, bytes: u64) -> SemaphorePermit<'_> {
        let permits = units(bytes.clamp(SMALL_LAYER, LARGE_LAYER));
        self.layers.acquire_many(permits).await.expect("the semaphore is never closed")
    }

    /// Waits for the memory to download and send an object or part of this size in bytes.
    pub(super) async fn transfer(&self, bytes: u64) -> SemaphorePermit<'_> {
        self.memory(if passes(bytes) { PASSING } else { LARGEST_HELD.min(bytes + BUFFERS) }).await
    }

    /// Waits for memory, in bytes. A request for more than the limit waits for the whole limit.
    pub(crate) async fn memory(&self, bytes: u64) -> SemaphorePermit<'_> {
        self.memory.acquire_many(units(bytes.min(MEMORY))).await.expect("the semaphore is never closed")
    }
}

/// Whether an object or part of this size is streamed instead of buffered completely.
pub(super) fn passes(bytes: u64) -> bool {
    bytes > LARGEST_HELD
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).expect("the budget is a small number")
}
