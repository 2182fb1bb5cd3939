//! Buckets and objects.

use super::Cloud;
use crate::support::principals::REGION;
use crate::support::s3::{Attributes, Body, Bucket, Object, Upload};

impl Cloud {
    /// Makes a bucket of an account in the usual region.
    pub fn create_bucket(&self, name: &str, account: &str) {
        self.create_bucket_in(name, account, REGION);
    }

    /// Makes a bucket in another region.
    pub fn create_bucket_in(&self, name: &str, account: &str, region: &str) {
        self.world().buckets.insert(name.to_owned(), Bucket::new(account, region));
    }

    /// Gives a bucket a default KMS key, which writes without an encryption header use.
    pub fn encrypt_bucket(&self, name: &str, key_arn: &str) {
        self.world().buckets.get_mut(name).expect("the bucket exists").default_key = Some(key_arn.to_owned());
    }

    /// Writes an object past all rights and faults; the bucket must exist.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Body>) {
        self.put_with(bucket, key, body, Attributes::default());
    }

    /// Writes an object with headers, metadata, encryption, tags or parts.
    pub fn put_with(&self, bucket: &str, key: &str, body: impl Into<Body>, attributes: Attributes) {
        let world = &mut *self.world();
        let object = Object::new(world, body.into(), attributes);
        let bucket = world.buckets.get_mut(bucket).expect("the bucket exists");
        bucket.objects.insert(key.to_owned(), object);
    }

    /// Deletes a bucket with all that is in it.
    pub fn remove_bucket(&self, name: &str) {
        self.world().buckets.remove(name).expect("the bucket exists");
    }

    /// Deletes an object.
    pub fn remove(&self, bucket: &str, key: &str) {
        self.world().buckets.get_mut(bucket).expect("the bucket exists").objects.remove(key);
    }

    /// Lets S3 say that an object was written so many seconds earlier.
    pub fn age(&self, bucket: &str, key: &str, seconds: f64) {
        let mut world = self.world();
        let objects = &mut world.buckets.get_mut(bucket).expect("the bucket exists").objects;
        objects.get_mut(key).expect("the object exists").modified -= seconds;
    }

    /// Lets time pass for the claims in a bucket: a run that left one behind has ended long ago.
    pub fn age_claims(&self, bucket: &str) {
        let mut world = self.world();
        let objects = &mut world.buckets.get_mut(bucket).expect("the bucket exists").objects;
        objects.iter_mut().filter(|(key, _)| key.contains("/_claims/")).for_each(|(_, claim)| claim.modified -= 90.0);
    }

    /// The object as it is now.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Object> {
        self.world().buckets.get(bucket)?.objects.get(key).cloned()
    }

    /// The keys of a bucket in order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let world = self.world();
        world.buckets.get(bucket).map(|bucket| bucket.objects.keys().cloned().collect()).unwrap_or_default()
    }

    /// The multipart uploads of a bucket that are neither completed nor aborted.
    pub fn uploads(&self, bucket: &str) -> Vec<Upload> {
        let world = self.world();
        world.buckets.get(bucket).map(|bucket| bucket.uploads.values().cloned().collect()).unwrap_or_default()
    }

    /// Lists at most `size` entries a page.
    pub fn page_size(&self, size: usize) {
        self.world().options.page = size;
    }

    /// Whether S3 computes a CRC64NVME where a write brings no checksum (it does unless told otherwise).
    pub fn default_checksums(&self, on: bool) {
        self.world().options.checksums = on;
    }

    /// CopyObject no longer takes If-None-Match, as in some partitions.
    pub fn refuse_conditional_copies(&self) {
        self.world().options.conditional_copies = false;
    }

    /// Callers of other accounts have to say that they pay for requests to a bucket.
    pub fn let_requesters_pay(&self, bucket: &str) {
        self.world().buckets.get_mut(bucket).expect("the bucket exists").requester_pays = true;
    }

    /// The policy of a bucket denies every write without this header.
    pub fn demand(&self, bucket: &str, header: &'static str, value: &'static str) {
        self.world().buckets.get_mut(bucket).expect("the bucket exists").demands.push((header, value));
    }

    /// The policy of a bucket denies every read.
    pub fn deny_reads(&self, bucket: &str) {
        self.world().buckets.get_mut(bucket).expect("the bucket exists").denies_reads = true;
    }

    /// Gives a bucket a policy to be read.
    pub fn set_policy(&self, bucket: &str, policy: serde_json::Value) {
        self.world().buckets.get_mut(bucket).expect("the bucket exists").policy = Some(policy);
    }

    /// The source account is in another partition: ARNs say so, and nobody finds the buckets of the other partition.
    pub fn move_source_to(&self, partition: &'static str) {
        self.world().options.source_partition = Some(partition);
    }
}
