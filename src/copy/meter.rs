//! Progress counters of the copy step.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The progress counters of one copy step. Bytes count when they are at the target, including server-side copies.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Reading>);

/// The values of the counters at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// Expected objects at the target.
    pub objects: u64,
    /// Expected bytes of objects and layers at the target.
    pub bytes: u64,
    /// Objects copied by this run.
    pub objects_done: u64,
    /// Bytes copied by this run, including unfinished objects and layers.
    pub bytes_done: u64,
    /// Bytes that passed through this process, of those that were copied.
    pub bytes_streamed: u64,
    /// Objects that existed before this run.
    pub objects_there: u64,
    /// Bytes of objects and layers that existed before this run.
    pub bytes_there: u64,
    /// Bytes of unfinished objects that earlier runs copied.
    pub bytes_resumed: u64,
    /// Expected images at the target.
    pub images: u64,
    /// Images copied by this run.
    pub images_done: u64,
    /// Images that existed before this run.
    pub images_there: u64,
}

impl Meter {
    /// Adds expected objects and bytes.
    pub fn expect(&self, objects: u64, bytes: u64) {
        let mut counters = self.counters();
        counters.objects += objects;
        counters.bytes += bytes;
    }
    /// Counts copied bytes.
    pub fn arrived(&self, bytes: u64) {
        self.counters().bytes_done += bytes;
    }
    /// Counts copied bytes that passed through this process.
    pub fn streamed(&self, bytes: u64) {
        let mut counters = self.counters();
        counters.bytes_done += bytes;
        counters.bytes_streamed += bytes;
    }
    /// Counts a copied object, whose bytes are counted already.
    pub fn completed(&self) {
        self.counters().objects_done += 1;
    }
    /// Counts an object that existed before this run, with its bytes.
    pub fn found(&self, bytes: u64) {
        let mut counters = self.counters();
        counters.objects_there += 1;
        counters.bytes_there += bytes;
    }
    /// Counts bytes of an unfinished object that an earlier run copied.
    pub fn resumed(&self, bytes: u64) {
        self.counters().bytes_resumed += bytes;
    }
    /// Adds expected images, and the bytes of their layers.
    pub fn expect_images(&self, images: u64, bytes: u64) {
        let mut counters = self.counters();
        counters.images += images;
        counters.bytes += bytes;
    }
    /// Counts images that existed before this run, and the bytes of layers that did.
    pub fn found_images(&self, images: u64, bytes: u64) {
        let mut counters = self.counters();
        counters.images_there += images;
        counters.bytes_there += bytes;
    }
    /// Counts a copied image, whose bytes are counted already.
    pub fn image_completed(&self) {
        self.counters().images_done += 1;
    }
    /// The current values of the counters.
    pub fn read(&self) -> Reading {
        *self.counters()
    }

    fn counters(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
