//! Keeps the JSON body of a response, with members that the SDK does not know.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::model::field::Document;

/// Keeps the body of the last attempt's response. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct RawAnswer(Arc<Mutex<Vec<u8>>>);

impl RawAnswer {
    /// The body as a JSON object.
    pub fn document(&self) -> Result<Document, String> {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice(&body).map_err(|error| format!("the response is not a JSON object: {error}"))
    }
}

impl Intercept for RawAnswer {
    fn name(&self) -> &'static str {
        "RawAnswer"
    }

    // The body is complete in memory only after the SDK has read it.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = match context.response().body().bytes() {
            Some(body) => body,
            // The body is incomplete. The SDK reports that and retries.
            None if context.output_or_error().is_err() => return Ok(()),
            None => return Err("the body of the response is not in memory".into()),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}
