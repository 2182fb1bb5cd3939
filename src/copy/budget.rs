//! How many requests are under way at once over all objects, and how much memory their bytes take.

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

/// What may be under way. Each permit is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Budget {
    requests: Semaphore,
    memory: Semaphore,
    concurrency: usize,
}

impl Budget {
    pub fn new(concurrency: usize) -> Self {
        let memory = Semaphore::new(units(MEMORY) as usize);
        Self { requests: Semaphore::new(concurrency), memory, concurrency }
    }

    /// How many requests there are at once: no more need to be prepared.
    pub fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Waits until a request may be sent.
    pub async fn request(&self) -> SemaphorePermit<'_> {
        self.requests.acquire().await.expect("the semaphore is never closed")
    }

    /// Waits for the memory that so many bytes take which are downloaded and sent.
    pub async fn transfer(&self, bytes: u64) -> SemaphorePermit<'_> {
        self.memory(if passes(bytes) { PASSING } else { LARGEST_HELD.min(bytes + BUFFERS) }).await
    }

    /// Waits for so much memory, at most all of it.
    pub async fn memory(&self, bytes: u64) -> SemaphorePermit<'_> {
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
