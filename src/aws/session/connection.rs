//! Opens a session: credentials, region, time limits and the clients of the services.

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region as SdkRegion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_sdk_s3::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_http_client::tls::TlsContext;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::access::{Access, BucketAccess};
use super::authorities::{authorities, client};
use super::endpoints::{check_endpoints, endpoint};
use super::environment::{check_environment, configured_region};
use super::files::Files;
use super::lent::Lent;
use super::references::check_references;
use super::renewal::Renewal;
use super::retries::{Retries, configured_retries};
use super::surroundings::Surroundings;
use crate::aws::error::{CallError, Caller, Side, Spellings, TargetBucket};
use crate::aws::images::{Clients, Downloads};
use crate::aws::keys::Keys;
use crate::aws::principal::Principal;
use crate::aws::timeouts::{CONNECT, FIRST_BYTE};
use crate::model::arn::Region;

/// A session of either account. Its credentials may permit writing: `accounts` builds only reading clients for the source.
#[derive(Debug)]
pub(in crate::aws) struct Session {
    config: SdkConfig,
    retries: Retries,
    renewal: Renewal,
    pub authorities: Option<TlsContext>,
    pub access: Access,
    pub principal: Principal,
}

impl Session {
    /// Opens the session without a call to AWS.
    ///
    /// # Errors
    /// There is no region, or the configuration is invalid.
    pub async fn open(side: Side, access: Access) -> Result<Self, CallError> {
        Self::open_in(&Surroundings::default(), side, access).await
    }

    /// Opens a session with the variables and files of `surroundings`.
    pub(super) async fn open_in(surroundings: &Surroundings, side: Side, access: Access) -> Result<Self, CallError> {
        let BucketAccess { owner, writes, .. } = &access.buckets;
        let target_bucket = TargetBucket { acl: writes.acl.is_some(), owner: owner.clone() };
        let mut caller = Caller {
            side,
            profile: access.profile.clone().or_else(|| surroundings.given("AWS_PROFILE")),
            role: access.role.as_ref().map(|role| role.arn.to_string()),
            region: String::new(),
            groups: Spellings::default(),
            target_bucket,
            reads_only: access.reads_only,
            attempts: None,
        };
        check_environment(surroundings, &caller)?;
        let files = Files::read(surroundings, &caller).await?;
        let profile = caller.profile.as_deref().unwrap_or("default");
        files.check_exists(&caller, profile)?;
        files.check_credentials(&caller, profile)?;
        check_references(surroundings, &caller, &files, profile, access.profile.is_some()).await?;
        let authorities = authorities(surroundings, &caller, &files, profile).await?;
        let http = authorities.clone().map(client);
        let retries = configured_retries(surroundings, &caller, &files, profile)?;
        caller.attempts = retries.attempts;
        let region = match &access.region {
            Some(region) => region.clone(),
            None => configured_region(surroundings, &caller, &files, profile)?,
        };
        caller.region = region.to_string();
        let renewal = Renewal::new();
        let loader = loader(surroundings).identity_cache(renewal.clone()).retry_config(retries.config());
        let http = surroundings.http.clone().or(http);
        let config = assume(base_config(loader, &access, &region, http, retries).await, &access).await;
        check_endpoints(surroundings, &caller, &files, profile, &config)?;
        let sts = aws_sdk_sts::config::Builder::from(&config).retry_classifier(renewal.clone());
        let sts = aws_sdk_sts::Client::from_conf(sts.build());
        let principal = Principal::new(sts, caller, region);
        Ok(Self { config, retries, renewal, authorities, access, principal })
    }

    pub fn sagemaker(&self) -> aws_sdk_sagemaker::Client {
        // Runs for many groups are throttled together, and would use up the SDK's retry quota.
        let retries = RetryPartition::custom("sagemaker").token_bucket(TokenBucket::unlimited()).build();
        let config = aws_sdk_sagemaker::config::Builder::from(&self.config).retry_config(self.patient_retries());
        let config = config.retry_partition(retries).retry_classifier(self.renewal.clone());
        aws_sdk_sagemaker::Client::from_conf(config.build())
    }

    /// Uses path-style addressing for custom endpoints, which usually have no host name for each bucket.
    pub fn s3(&self) -> aws_sdk_s3::config::Builder {
        let configured = endpoint(&self.config, "s3");
        let custom = configured.is_some() || self.config.endpoint_url().is_some();
        // The receiving S3 verifies streamed bytes, so they are not verified here as well.
        aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(custom)
            .retry_config(self.patient_retries())
            .retry_partition(RetryPartition::custom("s3").token_bucket(TokenBucket::unlimited()).build())
            .retry_classifier(self.renewal.clone())
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
    }

    /// KMS in a region.
    pub fn keys(&self, region: &Region) -> Keys {
        let config = aws_sdk_kms::config::Builder::from(&self.config).region(SdkRegion::new(region.to_string()));
        Keys::new(aws_sdk_kms::Client::from_conf(config.build()), self.principal.caller.clone())
    }

    /// Amazon ECR in every region.
    pub fn ecr(&self) -> Clients {
        let config = aws_sdk_ecr::config::Builder::from(&self.config).retry_config(self.patient_retries());
        let retries = RetryPartition::custom("ecr").token_bucket(TokenBucket::unlimited()).build();
        Clients::new(
            config.retry_partition(retries).retry_classifier(self.renewal.clone()),
            self.principal.caller.clone(),
        )
    }

    /// Downloads of layers.
    pub fn downloads(&self) -> Downloads {
        Downloads::new(self.authorities.clone())
    }

    fn patient_retries(&self) -> RetryConfig {
        self.retries.over(RetryConfig::standard().with_max_attempts(ATTEMPTS))
    }
}

/// The attempts of calls to S3, SageMaker and Amazon ECR, unless the user has set another number.
///
/// S3 throttles a new prefix until S3 has partitioned it (S3 performance guidelines), which takes longer than the SDK's
/// three attempts. 256 concurrent requests that are throttled would also use up the SDK's retry quota. SageMaker throttles
/// at low rates, which AWS does not document. The mode stays standard: at a registry that answers 5 calls a second, a
/// promotion and a status of 6 versions took 9 to 20 s, and in the adaptive mode 44 to 68 s (2026-11-28).
const ATTEMPTS: u32 = 10;

/// Loads the SDK's default configuration.
#[cfg(not(test))]
fn loader(_: &Surroundings) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
}

/// Loads the SDK's default configuration from other surroundings, which the SDK's feature `test-util` permits.
#[cfg(test)]
fn loader(surroundings: &Surroundings) -> ConfigLoader {
    let Surroundings { env, fs, .. } = surroundings.clone();
    aws_config::defaults(BehaviorVersion::latest()).env(env).fs(fs).sleep_impl(super::fuzz::briefly::Briefly)
}

/// The SDK's default configuration with checked credentials and with promote's settings.
async fn base_config(
    loader: ConfigLoader,
    access: &Access,
    region: &Region,
    http: Option<SharedHttpClient>,
    retries: Retries,
) -> SdkConfig {
    let region = SdkRegion::new(region.to_string());
    let mut loader = loader
        .region(region.clone())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(FIRST_BYTE).build());
    // Without the retries, the role of a profile is always assumed with the SDK's three attempts.
    let mut provider = ProviderConfig::without_region().with_region(Some(region)).with_retry_config(retries.config());
    if let Some(http) = http {
        loader = loader.http_client(http.clone());
        provider = provider.with_http_client(http);
    }
    if let Some(name) = &access.profile {
        loader = loader.profile_name(name);
    }
    // Other surroundings reach the default chain only.
    if let Some(name) = access.profile.as_ref().filter(|_| !cfg!(test)) {
        // The default chain would prefer AWS_ACCESS_KEY_ID to the given profile.
        let chosen = ProfileFileCredentialsProvider::builder().configure(&provider).profile_name(name);
        loader = loader.credentials_provider(chosen.build());
    }
    let config = loader.load().await;
    match config.credentials_provider() {
        Some(lender) => {
            let checked = SharedCredentialsProvider::new(Lent(lender));
            config.into_builder().credentials_provider(checked).build()
        }
        None => config,
    }
}

async fn assume(base: SdkConfig, access: &Access) -> SdkConfig {
    let Some(role) = &access.role else {
        return base;
    };
    let mut provider =
        AssumeRoleProvider::builder(role.arn.as_str()).session_name(role.session_name.as_str()).configure(&base);
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    let provider = SharedCredentialsProvider::new(provider.build().await);
    base.into_builder().credentials_provider(provider).build()
}
