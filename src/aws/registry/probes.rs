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
    /// AdditionalS3DataSource, which it does not allow there. If a version is created nevertheless, deletes it.
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
        let answer = call.send().await.map_err(|error| self.error(CALL, &resource, error))?;
        let Ok(created) = answer.model_package_arn().unwrap_or_default().parse::<PackageArn>() else { return Ok(()) };
        let left = |error| {
            let message =
                format!("SageMaker has registered {created}, which is Rejected and could not be deleted: {error}");
            self.reader.caller.unusable(CALL, &resource, message)
        };
        self.delete(&created).await.map_err(left)
    }

    /// UpdateModelPackage of a version that does not exist.
    pub async fn probe_update(&self, version: &PackageArn) -> Result<(), CallError> {
        let changes = [("ApprovalDescription".to_owned(), NAME.into())].into_iter().collect();
        self.update(version, &changes).await
    }

    /// CreateModelPackageGroup with a tag that AWS reserves for itself.
    pub async fn probe_create_group(&self, group: &GroupArn) -> Result<(), CallError> {
        const CALL: &str = "sagemaker:CreateModelPackageGroup";
        let resource = Resource::Group(group);
        let tag = Tag::builder().key(format!("aws:{NAME}")).value(NAME).build();
        let call = self.reader.client.create_model_package_group().model_package_group_name(group.name().as_str());
        call.tags(tag).send().await.map(drop).map_err(|error| self.error(CALL, &resource, error))
    }
}
