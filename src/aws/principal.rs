//! The principal that a session acts as.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::OnceCell;

use super::error::{CallError, Caller};
use super::resource::Resource;
use super::response_time::ResponseTime;
use crate::model::arn::{AccountId, GroupArn, GroupName, Region};

/// The principal behind a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The account of the principal.
    pub account: AccountId,
    /// The principal.
    pub arn: String,
    /// The region of the session.
    pub region: Region,
}

impl Identity {
    /// The group `name` in this principal's account, region and partition.
    pub fn group(&self, name: &GroupName) -> GroupArn {
        GroupArn::new(self.partition(), &self.region, &self.account, name)
    }

    /// The partition, such as `aws` or `aws-cn`.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).filter(|part| part.starts_with("aws")).unwrap_or("aws")
    }
}

/// The principal of a session. STS is asked once.
#[derive(Debug, Clone)]
pub(super) struct Principal {
    pub caller: Arc<Caller>,
    sts: aws_sdk_sts::Client,
    pub region: Region,
    identity: Arc<OnceCell<Identity>>,
    /// When STS has responded.
    responded: ResponseTime,
}

impl Principal {
    /// The principal of an STS client. Makes no call.
    pub fn new(sts: aws_sdk_sts::Client, caller: Caller, region: Region) -> Self {
        Self { sts, caller: Arc::new(caller), region, identity: Arc::default(), responded: ResponseTime::default() }
    }

    pub async fn identity(&self) -> Result<&Identity, CallError> {
        self.identity.get_or_try_init(|| self.ask()).await
    }

    /// The identity, if it is known.
    pub fn known(&self) -> Option<&Identity> {
        self.identity.get()
    }

    /// The seconds by which this machine's clock is ahead of the clock of STS, if STS has just been asked. Negative if it
    /// is behind.
    pub fn clock_ahead(&self) -> Option<i64> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        Some(i64::try_from(now).ok()? - self.responded.seconds()?)
    }

    async fn ask(&self) -> Result<Identity, CallError> {
        const CALL: &str = "sts:GetCallerIdentity";
        let call = self.sts.get_caller_identity().customize().interceptor(self.responded.clone());
        let answer = call.send().await;
        let answer = answer.map_err(|error| self.caller.error(CALL, &Resource::Principal, error))?;
        let account = answer.account().unwrap_or_default().parse();
        let account = account.map_err(|error| {
            self.caller.unusable(CALL, &Resource::Principal, format!("the account in the response: {error}"))
        })?;
        Ok(Identity { account, arn: answer.arn().unwrap_or_default().to_owned(), region: self.region.clone() })
    }
}
