//! Progress counters of the copy step.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The progress counters of one copy step. Bytes count when they are at the target, including server-side copies.
#[derive(Debug, Default)]
pub struct Meter {
    objects: AtomicU64,
    bytes: AtomicU64,
    objects_done: AtomicU64,
    bytes_done: AtomicU64,
    bytes_streamed: AtomicU64,
    objects_there: AtomicU64,
    bytes_there: AtomicU64,
    bytes_resumed: AtomicU64,
    images: AtomicU64,
    images_done: AtomicU64,
    images_there: AtomicU64,
}

/// The values of the counters at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        self.objects.fetch_add(objects, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }
    /// Counts copied bytes.
    pub fn arrived(&self, bytes: u64) {
        self.bytes_done.fetch_add(bytes, Relaxed);
    }
    /// Counts copied bytes that passed through this process.
    pub fn streamed(&self, bytes: u64) {
        self.arrived(bytes);
        self.bytes_streamed.fetch_add(bytes, Relaxed);
    }
    /// Counts a copied object, whose bytes are counted already.
    pub fn completed(&self) {
        self.objects_done.fetch_add(1, Relaxed);
    }
    /// Counts an object that existed before this run, with its bytes.
    pub fn found(&self, bytes: u64) {
        self.objects_there.fetch_add(1, Relaxed);
        self.bytes_there.fetch_add(bytes, Relaxed);
    }
    /// Counts bytes of an unfinished object that an earlier run copied.
    pub fn resumed(&self, bytes: u64) {
        self.bytes_resumed.fetch_add(bytes, Relaxed);
    }
    /// Adds expected images, and the bytes of their layers.
    pub fn expect_images(&self, images: u64, bytes: u64) {
        self.images.fetch_add(images, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }
    /// Counts images that existed before this run, and the bytes of layers that did.
    pub fn found_images(&self, images: u64, bytes: u64) {
        self.images_there.fetch_add(images, Relaxed);
        self.bytes_there.fetch_add(bytes, Relaxed);
    }
    /// Counts a copied image, whose bytes are counted already.
    pub fn image_completed(&self) {
        self.images_done.fetch_add(1, Relaxed);
    }
    /// The current values of the counters.
    pub fn read(&self) -> Reading {
        Reading {
            objects: self.objects.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            objects_done: self.objects_done.load(Relaxed),
            bytes_done: self.bytes_done.load(Relaxed),
            bytes_streamed: self.bytes_streamed.load(Relaxed),
            objects_there: self.objects_there.load(Relaxed),
            bytes_there: self.bytes_there.load(Relaxed),
            bytes_resumed: self.bytes_resumed.load(Relaxed),
            images: self.images.load(Relaxed),
            images_done: self.images_done.load(Relaxed),
            images_there: self.images_there.load(Relaxed),
        }
    }
}
