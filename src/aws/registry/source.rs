//! Reads the registry of the source account.

use std::sync::Arc;

use aws_sdk_sagemaker::Client;

use super::groups::{GroupsOf, ListedGroup};
use super::reader::RegistryReader;
use super::summary::Summary;
use crate::aws::error::{CallError, Caller};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, PackageArn};
use crate::model::field::Document;

/// The source account's registry, for reading only.
#[derive(Debug, Clone)]
pub struct SourceRegistry(RegistryReader);

impl SourceRegistry {
    pub(in crate::aws) fn new(client: Client, caller: Arc<Caller>) -> Self {
        Self(RegistryReader { client, caller })
    }

    /// The versions of `group` with this approval status, or with any, newest version first.
    ///
    /// # Errors
    /// The group does not exist or cannot be read.
    pub async fn list(&self, group: &GroupArn, status: Option<ApprovalStatus>) -> Result<Vec<Summary>, CallError> {
        self.0.list(group, status, None).await
    }

    /// All versions of `group`, newest version first, if one page of the list has them; otherwise nothing.
    ///
    /// # Errors
    /// The group does not exist or cannot be read.
    pub async fn list_in_one_page(&self, group: &GroupArn) -> Result<Option<Vec<Summary>>, CallError> {
        self.0.list_in_one_page(group).await
    }

    /// The whole DescribeModelPackage response (IncludedData AllData).
    pub async fn describe(&self, package: &PackageArn) -> Result<Document, CallError> {
        self.0.describe(package).await
    }

    /// The whole DescribeModelPackageGroup response, or nothing if the group does not exist.
    pub async fn find_group(&self, group: &GroupArn) -> Result<Option<Document>, CallError> {
        self.0.find_group(group).await
    }

    /// The groups that this principal can see.
    ///
    /// # Errors
    /// They cannot be listed.
    pub async fn groups(&self, whose: GroupsOf) -> Result<Vec<ListedGroup>, CallError> {
        self.0.groups(whose).await
    }

    /// The resource policy of a group of the caller's account; nothing if it has none.
    pub async fn group_policy(&self, group: &GroupArn) -> Result<Option<String>, CallError> {
        self.0.group_policy(group).await
    }

    /// The group's tags, which its versions inherit.
    pub async fn group_tags(&self, group: &GroupArn) -> Result<Vec<(String, String)>, CallError> {
        self.0.group_tags(group).await
    }
}
