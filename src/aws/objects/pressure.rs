//! How hard S3 is pressed: its answers pass by, those that ask to slow down are counted. The SDK tries such calls
//! again by itself, so nobody else sees them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Counts answers that ask to slow down. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Pressure(Arc<AtomicU64>);

impl Pressure {
    /// How often S3 has asked to slow down so far.
    pub fn slow_downs(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// S3 asks to slow down.
    pub fn slow_down(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Intercept for Pressure {
    fn name(&self) -> &'static str {
        "Pressure"
    }

    // S3 answers 503 for SlowDown; 429 is what others say.
    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if matches!(context.response().status().as_u16(), 429 | 503) {
            self.slow_down();
        }
        Ok(())
    }
}
