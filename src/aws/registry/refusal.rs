//! Tells whether CreateModelPackage was refused for certain.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::aws::error::{CallError, Kind};

/// A failed CreateModelPackage.
#[derive(Debug)]
pub struct NotCreated {
    /// The error of the call.
    pub error: CallError,
    /// Whether the service has refused the only request that was sent: it has registered no version, and will not. False
    /// after a timeout, a server error, throttling or a retry, because an earlier request may still arrive.
    pub is_refused: bool,
}

impl From<CallError> for NotCreated {
    fn from(error: CallError) -> Self {
        Self { error, is_refused: false }
    }
}

/// Counts the requests that a call sends. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests(Arc<AtomicU32>);

impl Requests {
    /// The error of a call whose last response had this status.
    pub fn not_created(&self, error: CallError, status: Option<u16>) -> NotCreated {
        let is_final = matches!(error.kind, Kind::Denied | Kind::Invalid | Kind::NotFound)
            && matches!(status, Some(400 | 403 | 404))
            && error.code.is_some();
        NotCreated { is_refused: is_final && self.0.load(Relaxed) == 1, error }
    }
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "Requests"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Relaxed);
        Ok(())
    }
}
