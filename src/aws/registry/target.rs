//! Reads and writes the registry of the target account.

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::Tag;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use serde_json::Value;

use super::groups::{GroupsOf, ListedGroup};
use super::reader::RegistryReader;
use super::refusal::{NotCreated, Requests};
use super::summary::Summary;
use crate::aws::error::{CallError, Kind};
use crate::aws::principal::Principal;
use crate::aws::resource::Resource;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, GroupName, PackageArn};
use crate::model::claim::CREATE_TIMEOUT;
use crate::model::field::Document;
use crate::model::hold::UPDATE_TIMEOUT;

/// The target account's registry, for reading and writing. Groups are in the account of the session: the first call
/// asks STS for the account, and responses about another account are errors.
#[derive(Debug, Clone)]
pub struct TargetRegistry {
    pub(super) reader: RegistryReader,
    principal: Principal,
}

impl TargetRegistry {
    pub(in crate::aws) fn new(client: Client, principal: Principal) -> Self {
        let caller = principal.caller.clone();
        Self { reader: RegistryReader::new(client, caller), principal }
    }

    /// The versions of `group` registered after `time`, newest version first; none if the group does not exist.
    pub async fn list_created_after(&self, group: &GroupName, time: &DateTime) -> Result<Vec<Summary>, CallError> {
        absent_is_empty(self.reader.list_created_after(&self.own(group).await?, None, Some(*time)).await)
    }

    /// The versions of `group` with this approval status, or with any, newest version first; none if the group does not
    /// exist.
    pub async fn list(&self, group: &GroupName, status: Option<ApprovalStatus>) -> Result<Vec<Summary>, CallError> {
        absent_is_empty(self.reader.list(&self.own(group).await?, status).await)
    }

    /// The whole DescribeModelPackage response (IncludedData AllData).
    pub async fn describe(&self, package: &PackageArn) -> Result<Document, CallError> {
        self.reader.describe(package).await
    }

    /// The groups of the account.
    pub async fn groups(&self) -> Result<Vec<ListedGroup>, CallError> {
        self.reader.groups(GroupsOf::OwnAccount).await
    }

    /// The whole DescribeModelPackageGroup response, or nothing if the group does not exist.
    pub async fn find_group(&self, group: &GroupName) -> Result<Option<Document>, CallError> {
        self.reader.find_group(&self.own(group).await?).await
    }

    /// Creates the group. Returns false if the group already exists.
    pub async fn create_group(
        &self,
        group: &GroupName,
        description: Option<&str>,
        tags: &[(String, String)],
    ) -> Result<bool, CallError> {
        const CALL: &str = "sagemaker:CreateModelPackageGroup";
        let own = self.own(group).await?;
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect::<Vec<_>>();
        let call = self.reader.client.create_model_package_group().model_package_group_name(group.as_str());
        let call = call.set_model_package_group_description(description.map(str::to_owned));
        let answer = call.set_tags((!tags.is_empty()).then_some(tags)).send().await;
        match answer.map_err(|error| self.reader.caller.error(CALL, &Resource::Group(&own), error)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == Kind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Registers a version. `document` is the CreateModelPackage request, which is sent unchanged. It has the name of a
    /// group and a ClientToken, because the SDK repeats the request if a response is lost. The call and its retries
    /// take at most [`CREATE_TIMEOUT`]: other runs count on it.
    pub async fn create(&self, document: &Document) -> Result<PackageArn, NotCreated> {
        const CALL: &str = "sagemaker:CreateModelPackage";
        let group = document.get("ModelPackageGroupName").and_then(Value::as_str).unwrap_or_default().parse();
        let invalid = |message: String| self.reader.caller.invalid(CALL, &Resource::Principal, message);
        let group = self.own(&group.map_err(|error| invalid(format!("ModelPackageGroupName: {error}")))?).await?;
        let resource = Resource::Group(&group);
        let body = self.body(CALL, &resource, document)?;
        // The typed request only sets the headers of the operation. Its body is replaced.
        let call = self.reader.client.create_model_package().client_token("replaced").customize();
        let call = call.mutate_request(move |request| replace_body(request, &body));
        let timeout = TimeoutConfig::builder().operation_timeout(CREATE_TIMEOUT).build();
        let call = call.config_override(aws_sdk_sagemaker::config::Builder::new().timeout_config(timeout));
        let requests = Requests::default();
        let answer = call.interceptor(requests.clone()).send().await.map_err(|error| {
            let status = error.raw_response().map(|response| response.status().as_u16());
            requests.not_created(self.reader.caller.error(CALL, &resource, error), status)
        })?;
        let arn = answer.model_package_arn().unwrap_or_default();
        let unusable =
            |error| self.reader.caller.unusable(CALL, &resource, format!("the version is registered, but {error}"));
        let arn: PackageArn = arn.parse().map_err(unusable)?;
        if arn.is_of(&group) { Ok(arn) } else { Err(self.reader.not_of(CALL, &group, arn.as_str()).into()) }
    }

    /// The group with this name in the account and region of the session.
    async fn own(&self, group: &GroupName) -> Result<GroupArn, CallError> {
        Ok(self.principal.identity().await?.group(group))
    }

    /// Updates a version. `changes` are the members of the UpdateModelPackage request, which are sent unchanged. The
    /// call and its retries take at most [`UPDATE_TIMEOUT`]: a rollback counts on it.
    pub async fn update(&self, package: &PackageArn, changes: &Document) -> Result<(), CallError> {
        const CALL: &str = "sagemaker:UpdateModelPackage";
        let resource = Resource::Package(package);
        let mut document = changes.clone();
        document.insert("ModelPackageArn".into(), package.as_str().into());
        let body = self.body(CALL, &resource, &document)?;
        let call = self.reader.client.update_model_package().model_package_arn(package.as_str()).customize();
        let call = call.mutate_request(move |request| replace_body(request, &body));
        let timeout = TimeoutConfig::builder().operation_timeout(UPDATE_TIMEOUT).build();
        let call = call.config_override(aws_sdk_sagemaker::config::Builder::new().timeout_config(timeout));
        call.send().await.map_err(|error| self.reader.caller.error(CALL, &resource, error))?;
        Ok(())
    }

    fn body(&self, call: &'static str, resource: &Resource<'_>, document: &Document) -> Result<Vec<u8>, CallError> {
        let invalid = |error| self.reader.caller.invalid(call, resource, format!("the request is not JSON: {error}"));
        serde_json::to_vec(document).map_err(invalid)
    }

    /// Deletes the version. Succeeds if the version does not exist.
    pub async fn delete(&self, package: &PackageArn) -> Result<(), CallError> {
        const CALL: &str = "sagemaker:DeleteModelPackage";
        let answer = self.reader.client.delete_model_package().model_package_name(package.as_str()).send().await;
        match answer.map_err(|error| self.reader.caller.error(CALL, &Resource::Package(package), error)) {
            Err(error) if error.kind != Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn replace_body(request: &mut HttpRequest, body: &[u8]) {
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
}

fn absent_is_empty(listed: Result<Vec<Summary>, CallError>) -> Result<Vec<Summary>, CallError> {
    match listed {
        Err(error) if error.kind == Kind::NotFound => Ok(Vec::new()),
        listed => listed,
    }
}
