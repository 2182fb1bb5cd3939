//! Requests that SageMaker refuses after it has checked the caller's permission, so that they change nothing.
//!
//! `Kind::NotFound` and `Kind::Invalid` mean that the caller has the permission. AWS does not document that the
//! permission is checked before the values of a request.

use aws_sdk_sagemaker::types::{
    AdditionalS3DataSource, AdditionalS3DataSourceDataType, InferenceSpecification, ModelApprovalStatus,
    ModelPackageContainerDefinition, Tag,
};

use super::target::TargetRegistry;
use crate::aws::error::CallError;
use crate::aws::resource::Resource;
use crate::model::arn::{GroupArn, PackageArn};

/// The number of a version that does not exist: the largest that SageMaker's pattern of ARNs allows, which has 9 digits.
const NO_VERSION: u32 = 999_999_999;

/// The name of what does not exist.
const NAME: &str = "promote-doctor";

impl TargetRegistry {
    /// A version of a group that does not exist.
    pub fn no_version(group: &GroupArn) -> Option<PackageArn> {
        let group = group.as_str().replacen(":model-package-group/", ":model-package/", 1);
        format!("{group}/{NO_VERSION}").parse().ok()
    }

    /// CreateModelPackage with values that SageMaker refuses: a specification with a SourceUri, and with
    /// AdditionalS3DataSource, which it does not allow there.
    ///
    /// # Errors
    /// Also if a version is created nevertheless. It is deleted again.
    pub async fn probe_create(&self, group: &GroupArn) -> Result<(), CallError> {
        const CALL: &str = "sagemaker:CreateModelPackage";
        let resource = Resource::Group(group);
        let data = AdditionalS3DataSource::builder()
            .s3_data_type(AdditionalS3DataSourceDataType::S3Object)
            .s3_uri(format!("s3://{NAME}/{NAME}"))
            .build();
        let container = ModelPackageContainerDefinition::builder().image(NAME).additional_s3_data_source(data).build();
        let specification = InferenceSpecification::builder()
            .containers(container)
            .supported_content_types("text/csv")
            .supported_response_mime_types("text/csv")
            .build();
        let call = self.reader.client.create_model_package().model_package_group_name(group.name().as_str());
        let call = call.inference_specification(specification).source_uri(format!("s3://{NAME}/{NAME}"));
        let call = call.model_approval_status(ModelApprovalStatus::Rejected);
        let answer = call.send().await.map_err(|error| self.reader.caller.error(CALL, &resource, error))?;
        let created = answer.model_package_arn().unwrap_or_default();
        let deleted = match created.parse() {
            Ok(created) => self.delete(&created).await.map_err(|error| error.to_string()),
            Err(error) => Err(format!("{error:#}")),
        };
        Err(self.accepted(CALL, &resource, created, deleted))
    }

    /// The error for something that SageMaker has created although it should have refused the request.
    fn accepted(
        &self,
        call: &'static str,
        resource: &Resource<'_>,
        created: &str,
        deleted: Result<(), String>,
    ) -> CallError {
        let end = match deleted {
            Ok(()) => "`promote doctor` has deleted it".to_owned(),
            Err(error) => format!("it could not be deleted: {error}"),
        };
        let message = format!("SageMaker accepted an invalid request and created {created}; {end}");
        self.reader.caller.unusable(call, resource, message)
    }

    /// UpdateModelPackage of a version that does not exist.
    pub async fn probe_update(&self, version: &PackageArn) -> Result<(), CallError> {
        let changes = [("ApprovalDescription".to_owned(), NAME.into())].into_iter().collect();
        self.update(version, &changes).await
    }

    /// CreateModelPackageGroup with a tag that AWS reserves for itself.
    ///
    /// # Errors
    /// Also if the group is created nevertheless. It is deleted again, unless it has versions by now.
    pub async fn probe_create_group(&self, group: &GroupArn) -> Result<(), CallError> {
        const CALL: &str = "sagemaker:CreateModelPackageGroup";
        let resource = Resource::Group(group);
        let tag = Tag::builder().key(format!("aws:{NAME}")).value(NAME).build();
        let call = self.reader.client.create_model_package_group().model_package_group_name(group.name().as_str());
        call.tags(tag).send().await.map_err(|error| self.reader.caller.error(CALL, &resource, error))?;
        let call = self.reader.client.delete_model_package_group().model_package_group_name(group.name().as_str());
        let deleted = call.send().await.map(drop);
        let deleted =
            deleted.map_err(|error| self.reader.caller.error("sagemaker:DeleteModelPackageGroup", &resource, error));
        Err(self.accepted(CALL, &resource, group.as_str(), deleted.map_err(|error| error.to_string())))
    }
}
