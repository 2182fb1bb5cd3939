//! Who talks to AWS: a profile, a role and a region come in, one session for each account comes out.
//!
//! Opening a session sends nothing; credentials are fetched by the first call and refresh by themselves.

use std::sync::Arc;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_sdk_s3::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use serde::Serialize;
use tokio::sync::OnceCell;

use super::error::{CallError, Caller, Side};
use super::keys::SigningKeys;
use super::objects::{SourceObjects, TargetObjects};
use super::registry::{SourceRegistry, TargetRegistry};
use super::resource::Resource;
use crate::model::arn::{AccountId, GroupArn, GroupName, Region, RoleArn};

mod environment;
mod renewal;

use environment::{check_environment, configured_region};
use renewal::Renewal;

/// How one account is reached. Nothing given means the SDK's default chain of credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// A profile of `~/.aws/config`; wins over credentials in the environment, as in the AWS CLI.
    pub profile: Option<String>,
    /// A role to assume with the profile's or the default chain's credentials.
    pub role: Option<AssumedRole>,
    /// The region, when it is not the profile's or the environment's.
    pub region: Option<Region>,
}

impl Access {
    /// What decides who acts: not the region, and not how the session is called.
    fn principal(&self) -> (Option<&str>, Option<(&RoleArn, Option<&str>)>) {
        let role = self.role.as_ref().map(|role| (&role.arn, role.external_id.as_deref()));
        (self.profile.as_deref(), role)
    }
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role.
    pub arn: RoleArn,
    /// What the role's trust policy asks for, if it does.
    pub external_id: Option<String>,
    /// How the session is called in CloudTrail; [`session_name`] makes a valid one.
    pub session_name: String,
}

/// The principal behind a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The account of the principal.
    pub account: AccountId,
    /// The principal.
    pub arn: String,
    /// The region that the session talks to.
    pub region: Region,
}

impl Identity {
    /// The group `name` in this principal's account, region and partition.
    pub fn group(&self, name: &GroupName) -> GroupArn {
        let partition = self.arn.split(':').nth(1).filter(|part| part.starts_with("aws")).unwrap_or("aws");
        GroupArn::new(partition, &self.region, &self.account, name)
    }
}

/// A role session name of STS (`[\w+=,.@-]{2,64}`) out of any text, such as a login or a build id.
pub fn session_name(side: Side, who: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let name = if who.is_empty() { format!("promote-{side}") } else { format!("promote-{side}-{who}") };
    name.chars().map(|c| if allowed(c) { c } else { '-' }).take(64).collect()
}

/// The session that reads the source account; there is no way to write with it.
#[derive(Debug, Clone)]
pub struct SourceSession(Session);

impl SourceSession {
    /// Opens the session without any call to AWS; `region` (the group ARN's) wins over the one in `access`.
    ///
    /// Errors when no region can be found.
    pub async fn open(access: &Access, region: Option<Region>) -> Result<Self, CallError> {
        Session::open(Side::Source, access, region).await.map(Self)
    }

    /// Who this is, by STS GetCallerIdentity.
    pub async fn identity(&self) -> Result<Identity, CallError> {
        self.0.principal.identity().await.cloned()
    }

    /// The region that the session talks to.
    pub fn region(&self) -> &Region {
        &self.0.principal.region
    }

    /// The model registry, for reading.
    pub fn registry(&self) -> SourceRegistry {
        SourceRegistry::new(self.0.sagemaker(), self.0.principal.caller.clone())
    }

    /// S3, for reading.
    pub fn objects(&self) -> SourceObjects {
        SourceObjects::new(self.0.s3(), self.0.principal.caller.clone())
    }

    /// Whether both sessions act as one principal: same profile, same role, same external id.
    pub fn same_principal_as(&self, target: &TargetSession) -> bool {
        self.0.access.principal() == target.0.access.principal()
    }
}

/// The session that reads and writes the target account.
#[derive(Debug, Clone)]
pub struct TargetSession(Session);

impl TargetSession {
    /// Opens the session without any call to AWS; `region` wins over the one in `access`.
    ///
    /// Errors when no region can be found.
    pub async fn open(access: &Access, region: Option<Region>) -> Result<Self, CallError> {
        Session::open(Side::Target, access, region).await.map(Self)
    }

    /// Who this is, by STS GetCallerIdentity.
    pub async fn identity(&self) -> Result<Identity, CallError> {
        self.0.principal.identity().await.cloned()
    }

    /// The region that the session talks to.
    pub fn region(&self) -> &Region {
        &self.0.principal.region
    }

    /// The model registry, for reading and writing.
    pub fn registry(&self) -> TargetRegistry {
        TargetRegistry::new(self.0.sagemaker(), self.0.principal.clone())
    }

    /// KMS in the region of a key.
    pub fn keys(&self, region: &Region) -> SigningKeys {
        let config = aws_sdk_kms::config::Builder::from(&self.0.config).region(SdkRegion::new(region.to_string()));
        SigningKeys::new(aws_sdk_kms::Client::from_conf(config.build()), self.0.principal.caller.clone())
    }

    /// S3, for reading and writing.
    pub fn objects(&self) -> TargetObjects {
        TargetObjects::new(self.0.s3(), self.0.principal.caller.clone())
    }
}

/// What both sessions are made of.
#[derive(Debug, Clone)]
struct Session {
    config: SdkConfig,
    renewal: Renewal,
    access: Access,
    principal: Principal,
}

impl Session {
    async fn open(side: Side, access: &Access, region: Option<Region>) -> Result<Self, CallError> {
        let mut caller = Caller {
            side,
            profile: access
                .profile
                .clone()
                .or_else(|| std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty())),
            role: access.role.as_ref().map(|role| role.arn.to_string()),
            region: String::new(),
        };
        check_environment(&caller)?;
        let region = match region.or_else(|| access.region.clone()) {
            Some(region) => region,
            None => configured_region(&caller, access.profile.as_deref()).await?,
        };
        caller.region = region.to_string();
        let renewal = Renewal::new();
        let config = assume(base_config(access, &region, &renewal).await, access).await;
        let sts = aws_sdk_sts::Client::new(&config);
        let principal = Principal { sts, caller: Arc::new(caller), region, identity: Arc::default() };
        Ok(Self { config, renewal, access: access.clone(), principal })
    }

    fn sagemaker(&self) -> aws_sdk_sagemaker::Client {
        let config = aws_sdk_sagemaker::config::Builder::from(&self.config).retry_classifier(self.renewal.clone());
        aws_sdk_sagemaker::Client::from_conf(config.build())
    }

    /// Path-style addressing for endpoints of one's own, which seldom have a host name for each bucket.
    fn s3(&self) -> aws_sdk_s3::config::Builder {
        let own = std::env::var_os("AWS_ENDPOINT_URL_S3").is_some_and(|url| !url.is_empty())
            || self.config.endpoint_url().is_some();
        // What is only passed on is verified by the S3 that receives it; computing a checksum here would be a second
        // time.
        aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(own)
            .retry_classifier(self.renewal.clone())
            .retry_config(self.s3_retries())
            .retry_partition(RetryPartition::custom("s3").token_bucket(TokenBucket::unlimited()).build())
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
    }

    /// What AWS_MAX_ATTEMPTS or the profile says, if it is not the SDK's own default.
    fn s3_retries(&self) -> RetryConfig {
        let configured = self.config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let is_default = configured.max_attempts() == RetryConfig::standard().max_attempts();
        if is_default { configured.with_max_attempts(S3_ATTEMPTS) } else { configured }
    }
}

/// Who a session acts as; STS is asked once.
#[derive(Debug, Clone)]
pub(super) struct Principal {
    pub caller: Arc<Caller>,
    sts: aws_sdk_sts::Client,
    region: Region,
    identity: Arc<OnceCell<Identity>>,
}

impl Principal {
    pub async fn identity(&self) -> Result<&Identity, CallError> {
        self.identity.get_or_try_init(|| self.ask()).await
    }

    async fn ask(&self) -> Result<Identity, CallError> {
        const CALL: &str = "sts:GetCallerIdentity";
        let answer = self.sts.get_caller_identity().send().await;
        let answer = answer.map_err(|error| self.caller.error(CALL, &Resource::Principal, error))?;
        let account = answer.account().unwrap_or_default().parse();
        let account = account.map_err(|error| {
            self.caller.unusable(CALL, &Resource::Principal, format!("the answer's account: {error}"))
        })?;
        Ok(Identity { account, arn: answer.arn().unwrap_or_default().to_owned(), region: self.region.clone() })
    }
}

/// S3 slows a new prefix down until it has split it (its performance guidelines), which takes longer than the SDK's
/// three attempts. 256 requests that are slowed down at once would also use up the SDK's quota of retries.
const S3_ATTEMPTS: u32 = 10;

/// Connecting takes milliseconds; 5 s leave room for a slow VPN. Answers other than copies come within a minute.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
const FIRST_BYTE: Duration = Duration::from_secs(60);

async fn base_config(access: &Access, region: &Region, renewal: &Renewal) -> SdkConfig {
    let region = SdkRegion::new(region.to_string());
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region.clone())
        .identity_cache(renewal.clone())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(FIRST_BYTE).build());
    if let Some(name) = &access.profile {
        // The default chain would prefer AWS_ACCESS_KEY_ID over the profile that was asked for.
        let chosen = ProfileFileCredentialsProvider::builder()
            .configure(&ProviderConfig::without_region().with_region(Some(region)))
            .profile_name(name);
        loader = loader.profile_name(name).credentials_provider(chosen.build());
    }
    loader.load().await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_valid_session_name() {
        assert_eq!(session_name(Side::Target, "build:1/é x"), "promote-target-build-1---x");
        assert_eq!(session_name(Side::Source, ""), "promote-source");
        assert_eq!(session_name(Side::Source, &"x".repeat(99)).len(), 64);
    }
}
