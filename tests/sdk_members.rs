//! The SDK against the table of shapes: a member that AWS has added, and that promote has no treatment for, fails here.

use std::collections::BTreeSet;

use aws_sdk_sagemaker::operation::create_model_package::CreateModelPackageInput;
use aws_sdk_sagemaker::operation::describe_model_package::DescribeModelPackageOutput;
use aws_sdk_sagemaker::operation::update_model_package::UpdateModelPackageInput;
use aws_sdk_sagemaker::types::*;
use promote::schema::members::treatment;
use promote::schema::shapes::{members_of, structures};

/// The names of the members of each of these structures, as the SDK knows them.
macro_rules! sdk_structures {
    ($($name:ident)*) => {
        vec![$((
            stringify!($name),
            $name::SCHEMA.members().iter().filter_map(|member| member.member_name()).collect::<BTreeSet<&str>>(),
        )),*]
    };
}

fn sdk_structures() -> Vec<(&'static str, BTreeSet<&'static str>)> {
    sdk_structures![
        CreateModelPackageInput DescribeModelPackageOutput UpdateModelPackageInput InferenceSpecification
        ModelPackageValidationSpecification SourceAlgorithmSpecification MetadataProperties ModelMetrics
        DriftCheckBaselines ModelPackageSecurityConfig ModelPackageModelCard ModelLifeCycle
        ModelPackageStatusDetails UserContext Tag ModelQuality ModelDataQuality Bias Explainability DriftCheckBias
        DriftCheckExplainability DriftCheckModelQuality DriftCheckModelDataQuality
        AdditionalInferenceSpecificationDefinition IamIdentity ModelPackageContainerDefinition
        ModelPackageValidationProfile SourceAlgorithm MetricsSource FileSource ModelPackageStatusItem ModelDataSource
        ModelInput AdditionalS3DataSource BaseModel TransformJobDefinition S3ModelDataSource AdditionalModelDataSource
        TransformInput TransformOutput TransformResources ModelAccessConfig InferenceHubAccessConfig
        TransformDataSource TransformS3DataSource
    ]
}

#[test]
fn every_structure_has_the_members_that_the_sdk_knows_and_no_others() {
    for (name, sdk) in sdk_structures() {
        let table = members_of(name).unwrap_or_else(|| panic!("the table has no {name}; run `make shapes`"));
        let table: BTreeSet<&str> = table.into_iter().collect();
        assert!(!sdk.is_empty(), "the SDK's schema of {name} has no members");
        let (unknown, gone): (Vec<_>, Vec<_>) = (sdk.difference(&table).collect(), table.difference(&sdk).collect());
        assert!(unknown.is_empty(), "the SDK knows {unknown:?} of {name}; run `make shapes` and decide on each");
        assert!(gone.is_empty(), "the SDK does not know {gone:?} of {name}");
    }
}

#[test]
fn every_structure_of_the_table_is_held_against_the_sdk() {
    let held: BTreeSet<&str> = sdk_structures().into_iter().map(|(name, _)| name).collect();
    assert_eq!(structures().collect::<BTreeSet<&str>>(), held);
}

#[test]
fn every_member_that_the_sdk_describes_or_creates_has_a_treatment() {
    let roots = ["CreateModelPackageInput", "DescribeModelPackageOutput"];
    for (name, members) in sdk_structures().into_iter().filter(|(name, _)| roots.contains(name)) {
        for member in members {
            assert!(treatment(member).is_some(), "{member} of {name} has no treatment in src/schema/members.rs");
        }
    }
}
