//! Lists and describes versions and groups, for both accounts. Checks that every response is about the requested group.

use std::collections::HashSet;
use std::sync::Arc;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::{IncludedData, ModelPackageSortBy, ModelPackageSummary, ModelPackageType, SortOrder};
use aws_smithy_types::DateTime;
use serde_json::Value;

use super::raw::RawAnswer;
use super::summary::Summary;
use super::turns::turn;
use crate::aws::error::{CallError, Caller, Kind};
use crate::aws::resource::Resource;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::field::Document;

const LIST: &str = "sagemaker:ListModelPackages";

/// Reads the registry of one account. Groups are named by ARN, which also works across accounts.
#[derive(Debug, Clone)]
pub struct RegistryReader {
    pub(super) client: Client,
    pub(super) caller: Arc<Caller>,
}

impl RegistryReader {
    pub(in crate::aws) fn new(client: Client, caller: Arc<Caller>) -> Self {
        Self { client, caller }
    }

    /// The versions of `group` with this approval status, or with any, newest version first.
    ///
    /// # Errors
    /// The group does not exist or cannot be read.
    pub async fn list(&self, group: &GroupArn, status: Option<ApprovalStatus>) -> Result<Vec<Summary>, CallError> {
        self.list_created_after(group, status, None).await
    }

    /// The same, of the versions that were registered after a time, if there is one.
    pub(super) async fn list_created_after(
        &self,
        group: &GroupArn,
        status: Option<ApprovalStatus>,
        after: Option<DateTime>,
    ) -> Result<Vec<Summary>, CallError> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut token = None;
        loop {
            let (page, next) = self.page(group, status.as_ref(), after, token).await?;
            found.extend(page);
            token = next;
            match &token {
                None => break,
                Some(token) if seen.insert(token.clone()) => {}
                Some(_) => {
                    return Err(self.caller.unusable(LIST, &Resource::Group(group), "the list's NextToken repeats"));
                }
            }
        }
        found.sort_by_key(|summary| std::cmp::Reverse(summary.version));
        Ok(found)
    }

    /// All versions of `group`, newest version first, if one page of the list has them; otherwise nothing.
    ///
    /// # Errors
    /// The group does not exist or cannot be read.
    pub async fn list_in_one_page(&self, group: &GroupArn) -> Result<Option<Vec<Summary>>, CallError> {
        let (mut page, next) = self.page(group, None, None, None).await?;
        page.sort_by_key(|summary| std::cmp::Reverse(summary.version));
        Ok(next.is_none().then_some(page))
    }

    /// A page of versions, and the token of the next page.
    async fn page(
        &self,
        group: &GroupArn,
        status: Option<&ApprovalStatus>,
        after: Option<DateTime>,
        token: Option<String>,
    ) -> Result<(Vec<Summary>, Option<String>), CallError> {
        self.caller.groups.note(group);
        let call = self.client.list_model_packages().model_package_group_name(group.as_str());
        let call = call.model_package_type(ModelPackageType::Versioned).max_results(100);
        let call = call.sort_by(ModelPackageSortBy::CreationTime).sort_order(SortOrder::Descending);
        let call = call.set_model_approval_status(status.map(|status| status.as_str().into()));
        let answer = call.set_creation_time_after(after).set_next_token(token).send().await;
        let answer = answer.map_err(|error| self.caller.error(LIST, &Resource::Group(group), error))?;
        let page = answer.model_package_summary_list().iter().map(|summary| self.summary(LIST, group, summary));
        // An empty page is not necessarily the last page.
        let next = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        Ok((page.collect::<Result<_, _>>()?, next))
    }

    fn summary(
        &self,
        call: &'static str,
        group: &GroupArn,
        listed: &ModelPackageSummary,
    ) -> Result<Summary, CallError> {
        let text = listed.model_package_arn().unwrap_or_default();
        let unusable = |message: String| self.caller.unusable(call, &Resource::Group(group), message);
        let arn: PackageArn =
            text.parse().map_err(|error| unusable(format!("the list has an invalid ARN: {error}")))?;
        if !arn.is_of(group) {
            return Err(self.not_of(call, group, text));
        }
        let version = listed.model_package_version().and_then(|version| u32::try_from(version).ok());
        if version != Some(arn.version()) {
            return Err(unusable(format!("{arn} is listed as version {version:?}")));
        }
        Ok(Summary {
            version: arn.version(),
            arn,
            approval: listed.model_approval_status().map(|s| s.as_str()).unwrap_or_default().into(),
            status: listed.model_package_status().map(|s| s.as_str()).unwrap_or_default().into(),
            created: listed.creation_time().copied().ok_or_else(|| unusable(format!("{text} has no CreationTime")))?,
        })
    }

    /// The whole DescribeModelPackage response (IncludedData AllData).
    pub async fn describe(&self, package: &PackageArn) -> Result<Document, CallError> {
        const CALL: &str = "sagemaker:DescribeModelPackage";
        let resource = Resource::Package(package);
        let _turn = turn(package.account()).await;
        let raw = RawAnswer::default();
        let call = self.client.describe_model_package().model_package_name(package.as_str());
        let call = call.included_data(IncludedData::AllData).customize().interceptor(raw.clone());
        call.send().await.map_err(|error| self.caller.error(CALL, &resource, error))?;
        let document = raw.document().map_err(|message| self.caller.unusable(CALL, &resource, message))?;
        match document.get("ModelPackageArn").and_then(Value::as_str) {
            Some(arn) if arn.eq_ignore_ascii_case(package.as_str()) => Ok(document),
            other => Err(self.caller.unusable(
                CALL,
                &resource,
                format!("the response describes {}", other.unwrap_or("nothing")),
            )),
        }
    }

    /// The whole DescribeModelPackageGroup response, or nothing if the group does not exist.
    pub async fn find_group(&self, group: &GroupArn) -> Result<Option<Document>, CallError> {
        const CALL: &str = "sagemaker:DescribeModelPackageGroup";
        self.caller.groups.note(group);
        let resource = Resource::Group(group);
        let raw = RawAnswer::default();
        let call = self.client.describe_model_package_group().model_package_group_name(group.as_str());
        if let Err(error) = call.customize().interceptor(raw.clone()).send().await {
            return match self.caller.error(CALL, &resource, error) {
                error if error.kind == Kind::NotFound => Ok(None),
                error => Err(error),
            };
        }
        let document = raw.document().map_err(|message| self.caller.unusable(CALL, &resource, message))?;
        match document.get("ModelPackageGroupArn").and_then(Value::as_str) {
            Some(arn) if arn.eq_ignore_ascii_case(group.as_str()) => Ok(Some(document)),
            other => Err(self.not_of(CALL, group, other.unwrap_or("no group"))),
        }
    }

    /// The group's tags, which its versions inherit.
    pub async fn group_tags(&self, group: &GroupArn) -> Result<Vec<(String, String)>, CallError> {
        let mut found = Vec::new();
        let mut pages = self.client.list_tags().resource_arn(group.as_str()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| self.caller.error("sagemaker:ListTags", &Resource::Group(group), e))?;
            let tags = page.tags().iter();
            found.extend(
                tags.map(|tag| (tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned())),
            );
        }
        Ok(found)
    }

    /// The resource policy of a group of the caller's account; nothing if it has none. The call takes no ARN, so that it
    /// tells nothing of the groups of other accounts.
    pub async fn group_policy(&self, group: &GroupArn) -> Result<Option<String>, CallError> {
        const CALL: &str = "sagemaker:GetModelPackageGroupPolicy";
        let call = self.client.get_model_package_group_policy().model_package_group_name(group.name().as_str());
        match call.send().await.map_err(|error| self.caller.error(CALL, &Resource::Group(group), error)) {
            Ok(answer) => {
                let unusable = || self.caller.unusable(CALL, &Resource::Group(group), "the response has no policy");
                answer.resource_policy().map(|text| Some(text.to_owned())).ok_or_else(unusable)
            }
            Err(error) if has_no_policy(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn not_of(&self, call: &'static str, group: &GroupArn, arn: &str) -> CallError {
        self.caller.unusable(
            call,
            &Resource::Group(group),
            format!("the response contains {arn}, which is not in this group"),
        )
    }
}

/// Whether SageMaker says that a group has no policy: "Cannot find resource policy for: …". A group that it does not find
/// may have one.
fn has_no_policy(error: &CallError) -> bool {
    error.kind == Kind::NotFound && error.message.to_ascii_lowercase().contains("cannot find resource policy")
}
