//! Keeps the time at which a service has responded.

use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

/// The `Date` header of a response. Clones share it. If a call is retried, the time of the first response is kept, which
/// makes objects look younger, not older.
#[derive(Debug, Clone, Default)]
pub(super) struct ResponseTime(Arc<OnceLock<i64>>);

impl ResponseTime {
    /// The seconds since 1970, if the response had a time.
    pub fn seconds(&self) -> Option<i64> {
        self.0.get().copied()
    }
}

impl Intercept for ResponseTime {
    fn name(&self) -> &'static str {
        "ResponseTime"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(time) = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok()) {
            self.0.get_or_init(|| time.secs());
        }
        Ok(())
    }
}
