//! Renews credentials that AWS rejects as expired before their expiry time. The SDK renews credentials only at that time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_s3::config::IdentityCache;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// The SDK's default of 5 s is too short for a chain of profile, SSO and role.
const LOADING: Duration = Duration::from_secs(30);
/// Concurrent calls with the same credentials fail one after the other. Within this time, they cause one renewal.
const ONCE_IN: Duration = Duration::from_secs(1);

/// The error codes of S3, STS and SageMaker for expired credentials.
const EXPIRED: [&str; 3] = ["ExpiredToken", "ExpiredTokenException", "RequestExpired"];

/// The cached credentials of one session. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Renewal(Arc<Mutex<Cached>>);

#[derive(Debug)]
struct Cached {
    cache: SharedIdentityCache,
    renewed: Option<Instant>,
}

impl Renewal {
    /// Nothing is cached yet.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Cached { cache: empty(), renewed: None })))
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn empty() -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(LOADING).build()
}

/// Whether a response says that the credentials have expired. A response to HEAD has no body and says nothing.
fn says_expired(answer: &HttpResponse) -> bool {
    let text = answer.body().bytes().and_then(|body| std::str::from_utf8(body).ok()).unwrap_or_default();
    (400..=499).contains(&answer.status().as_u16()) && EXPIRED.iter().any(|code| text.contains(code))
}

impl ResolveCachedIdentity for Renewal {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let cache = self.cached().cache.clone();
        IdentityFuture::new(async move { cache.resolve_cached_identity(resolver, components, config).await })
    }
}

impl ClassifyRetry for Renewal {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        if !context.response().is_some_and(says_expired) {
            return RetryAction::NoActionIndicated;
        }
        let mut cached = self.cached();
        if cached.renewed.is_none_or(|renewed| renewed.elapsed() > ONCE_IN) {
            *cached = Cached { cache: empty(), renewed: Some(Instant::now()) };
        }
        RetryAction::transient_error()
    }

    fn name(&self) -> &'static str {
        "Renewal"
    }
}
