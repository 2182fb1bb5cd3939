//! Whose S3 answers: Amazon's, or an implementation that copies at another speed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// What every answer of Amazon S3 says in `Server` (S3 API reference, common response headers).
const AMAZON: &str = "AmazonS3";

/// Who has answered so far. Clones share the answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Vendor(Arc<AtomicBool>);

impl Vendor {
    /// Whether Amazon S3 has answered.
    pub fn is_amazon(&self) -> bool {
        self.0.load(Relaxed)
    }
}

impl Intercept for Vendor {
    fn name(&self) -> &'static str {
        "Vendor"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.response().headers().get("server") == Some(AMAZON) {
            self.0.store(true, Relaxed);
        }
        Ok(())
    }
}
