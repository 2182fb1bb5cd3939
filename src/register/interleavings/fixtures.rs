//! What the runs promote.

use serde_json::json;

use crate::model::arn::{GroupArn, PackageArn};
use crate::model::claim::Claim;
use crate::model::field::Document;
use crate::model::package::Package;
use crate::model::promoted::{REQUEST_KEY, SOURCE_KEY};

pub const SOURCE: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn/7";
pub const GROUP_ARN: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package-group/Churn";

/// The claim of a run.
pub fn claim() -> Claim {
    Claim::new(&SOURCE.parse().expect("an ARN"), &group(), "digest", "caller", "2026-11-28T12:00:00Z")
}

/// The target group.
pub fn group() -> GroupArn {
    GROUP_ARN.parse().expect("an ARN")
}

/// The source version.
pub fn package() -> Package {
    let source: PackageArn = SOURCE.parse().expect("an ARN");
    Package::from_description(&source, source_description()).expect("it can be promoted")
}

/// The source version, as Describe returns it.
pub fn source_description() -> Document {
    let description = json!({
        "ModelPackageArn": SOURCE, "ModelPackageGroupName": "Churn", "ModelPackageVersion": 7,
        "ModelPackageStatus": "Completed", "ModelApprovalStatus": "Approved", "CreationTime": 1_700_000_000.5
    });
    description.as_object().expect("an object").clone()
}

/// The request of CreateModelPackage.
pub fn request() -> Document {
    let request = json!({
        "ModelPackageGroupName": "Churn", "ModelApprovalStatus": "PendingManualApproval",
        "CustomerMetadataProperties": {SOURCE_KEY: SOURCE, REQUEST_KEY: "digest"}
    });
    request.as_object().expect("an object").clone()
}
