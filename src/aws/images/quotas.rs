//! Quotas of Amazon ECR that do not end by waiting: repositories of a registry, images of a repository.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

const CODE: &[u8] = b"LimitExceededException";

/// Forbids retries after LimitExceededException, which the SDK takes for throttling: ten attempts take a minute.
#[derive(Debug)]
pub(super) struct Quotas;

fn says_limit(response: &HttpResponse) -> bool {
    let body = response.body().bytes().unwrap_or_default();
    response.status().is_client_error() && body.windows(CODE.len()).any(|text| text == CODE)
}

impl ClassifyRetry for Quotas {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().is_some_and(says_limit) {
            true => RetryAction::RetryForbidden,
            false => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "Quotas"
    }
}
