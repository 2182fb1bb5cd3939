//! Lists the model package groups that a principal can see.

use std::collections::HashSet;

use aws_sdk_sagemaker::types::{CrossAccountFilterOption, ModelPackageGroupSortBy, ModelPackageGroupStatus, SortOrder};

use super::reader::RegistryReader;
use crate::aws::error::CallError;
use crate::aws::resource::Resource;
use crate::model::arn::GroupArn;

/// Whose groups are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupsOf {
    /// The principal's account.
    OwnAccount,
    /// Other accounts that share groups with it through AWS RAM.
    OtherAccounts,
}

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    /// The group's ARN.
    pub arn: GroupArn,
    /// Why the group has no versions to promote: it could not be created, or is being deleted.
    pub unusable: Option<&'static str>,
}

impl RegistryReader {
    /// The groups that this principal can see. No filter by name is sent: AWS does not document whether `NameContains`
    /// regards letter case.
    ///
    /// # Errors
    /// They cannot be listed.
    pub async fn groups(&self, whose: GroupsOf) -> Result<Vec<ListedGroup>, CallError> {
        const CALL: &str = "sagemaker:ListModelPackageGroups";
        let unusable = |message: String| self.caller.unusable(CALL, &Resource::Registry, message);
        let filter = match whose {
            GroupsOf::OwnAccount => CrossAccountFilterOption::SameAccount,
            GroupsOf::OtherAccounts => CrossAccountFilterOption::CrossAccount,
        };
        let (mut found, mut seen, mut token) = (Vec::new(), HashSet::new(), None::<String>);
        loop {
            let call = self.client.list_model_package_groups().max_results(100);
            let call = call.sort_by(ModelPackageGroupSortBy::Name).sort_order(SortOrder::Ascending);
            let answer = call.cross_account_filter_option(filter.clone()).set_next_token(token).send().await;
            let answer = answer.map_err(|error| self.caller.error(CALL, &Resource::Registry, error))?;
            for group in answer.model_package_group_summary_list() {
                let arn = group.model_package_group_arn().unwrap_or_default().parse();
                let arn = arn.map_err(|error| unusable(format!("the list has an invalid ARN: {error}")))?;
                let status = match group.model_package_group_status() {
                    Some(ModelPackageGroupStatus::Failed) => Some("Failed"),
                    Some(ModelPackageGroupStatus::Deleting) => Some("Deleting"),
                    _ => None,
                };
                found.push(ListedGroup { arn, unusable: status });
            }
            // An empty page is not necessarily the last page.
            token = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            match &token {
                None => return Ok(found),
                Some(token) if seen.insert(token.clone()) => {}
                Some(_) => return Err(unusable("the list's NextToken repeats".to_owned())),
            }
        }
    }
}
