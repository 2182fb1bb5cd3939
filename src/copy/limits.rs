//! The limits that all copies of a process share: requests at a time, and the memory that their bytes take.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes that are in memory at once: of objects that are held, and in the buffers of those that pass through.
pub(super) const MEMORY: u64 = 64 << 20;
/// What memory is counted in.
const UNIT: u64 = 64 << 10;
/// What passes through takes so much memory, in the buffers of two connections: 64 at once took 92 MiB (27 November
/// 2026). So 36 pass through at once.
const PASSING: u64 = 7 << 18;
/// Up to here, an object is held in memory before it is sent.
const LARGEST_HELD: u64 = 1 << 20;
/// What the connections of an object that is held take besides, as measured with objects of 16 KiB to 1 MiB.
const BUFFERS: u64 = 384 << 10;

/// S3 takes 3,500 writes a second and prefix (its performance guidelines), which 256 requests of 70 ms use up.
const CONCURRENCY: usize = 256;

/// The limits of all copies that share them.
#[derive(Debug)]
pub struct Limits {
    requests: Semaphore,
    memory: Semaphore,
    concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(CONCURRENCY)
    }
}

impl Limits {
    /// So many S3 requests at a time, from 1, and 64 MiB of memory.
    pub fn new(concurrency: usize) -> Self {
        let memory = Semaphore::new(units(MEMORY) as usize);
        Self { requests: Semaphore::new(concurrency), memory, concurrency }
    }

    /// How many requests there are at once: no more need to be prepared.
    pub(super) fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Waits until a request may be sent.
    pub(super) async fn request(&self) -> SemaphorePermit<'_> {
        self.requests.acquire().await.expect("the semaphore is never closed")
    }

    /// Waits for the memory that so many bytes take which are downloaded and sent.
    pub(super) async fn transfer(&self, bytes: u64) -> SemaphorePermit<'_> {
        self.memory(if passes(bytes) { PASSING } else { LARGEST_HELD.min(bytes + BUFFERS) }).await
    }

    /// Waits for so much memory, at most all of it.
    pub(super) async fn memory(&self, bytes: u64) -> SemaphorePermit<'_> {
        self.memory.acquire_many(units(bytes.min(MEMORY))).await.expect("the semaphore is never closed")
    }
}

/// Whether so many bytes are sent while they arrive, and not held until all have arrived.
pub(super) fn passes(bytes: u64) -> bool {
    bytes > LARGEST_HELD
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).expect("the budget is a small number")
}
