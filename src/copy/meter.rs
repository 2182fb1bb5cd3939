//! Counts how far a copy is.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of one copy step. Bytes count when they are known to be at the target, server-side copies included.
#[derive(Debug, Default)]
pub struct Meter {
    objects: AtomicU64,
    bytes: AtomicU64,
    objects_done: AtomicU64,
    bytes_done: AtomicU64,
    objects_there: AtomicU64,
    bytes_there: AtomicU64,
    bytes_resumed: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Objects to be at the target at the end.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects copied by this run.
    pub objects_done: u64,
    /// Bytes copied by this run, of unfinished objects too.
    pub bytes_done: u64,
    /// Objects that were there already.
    pub objects_there: u64,
    /// Their bytes.
    pub bytes_there: u64,
    /// Bytes of objects that an earlier run has left unfinished.
    pub bytes_resumed: u64,
}

impl Meter {
    /// Adds to what there is to do.
    pub fn expect(&self, objects: u64, bytes: u64) {
        self.objects.fetch_add(objects, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }
    /// Bytes have arrived.
    pub fn arrived(&self, bytes: u64) {
        self.bytes_done.fetch_add(bytes, Relaxed);
    }
    /// An object is complete, its bytes counted before.
    pub fn completed(&self) {
        self.objects_done.fetch_add(1, Relaxed);
    }
    /// An object was there already.
    pub fn found(&self, bytes: u64) {
        self.objects_there.fetch_add(1, Relaxed);
        self.bytes_there.fetch_add(bytes, Relaxed);
    }
    /// An earlier run has brought these bytes of an object.
    pub fn resumed(&self, bytes: u64) {
        self.bytes_resumed.fetch_add(bytes, Relaxed);
    }
    /// The counters now.
    pub fn read(&self) -> Reading {
        Reading {
            objects: self.objects.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            objects_done: self.objects_done.load(Relaxed),
            bytes_done: self.bytes_done.load(Relaxed),
            objects_there: self.objects_there.load(Relaxed),
            bytes_there: self.bytes_there.load(Relaxed),
            bytes_resumed: self.bytes_resumed.load(Relaxed),
        }
    }
}
