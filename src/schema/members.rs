//! Defines how a promotion treats each top-level field of a model package, so that no field is lost silently.
//!
//! Sources: the API reference of CreateModelPackage, DescribeModelPackage and UpdateModelPackage. Nested fields are
//! treated like their top-level field, except the S3 references and ETags in `references.rs`.

/// How a promotion treats a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Copied from the source package, with its references rewritten.
    Carried,
    /// Set by promote. The text says how.
    Set(&'static str),
    /// Set by UpdateModelPackage after the registration, because CreateModelPackage does not accept it.
    Updated,
    /// Describes the source version only: recorded, never sent.
    Provenance,
    /// Occurs in unversioned packages only, which cannot be promoted.
    Unversioned,
    /// A package with it cannot be promoted.
    Refused,
}

use Treatment::{Carried, Provenance, Refused, Set, Unversioned, Updated};

/// Every top-level field of CreateModelPackage and DescribeModelPackage, with its treatment.
pub const TREATMENTS: [(&str, Treatment); 34] = [
    ("AdditionalInferenceSpecifications", Carried),
    ("ApprovalDescription", Updated),
    ("CertifyForMarketplace", Unversioned),
    ("ClientToken", Set("derived from the request, so that a retry does not register twice")),
    ("CreatedBy", Provenance),
    ("CreationTime", Provenance),
    ("CustomerMetadataProperties", Carried),
    ("Domain", Carried),
    ("DriftCheckBaselines", Carried),
    ("InferenceSpecification", Carried),
    ("LastModifiedBy", Provenance),
    ("LastModifiedTime", Provenance),
    ("ManagedStorageType", Refused),
    ("MetadataProperties", Carried),
    ("ModelApprovalStatus", Set("pending until the package is complete, then --approval decides")),
    ("ModelCard", Carried),
    ("ModelLifeCycle", Carried),
    ("ModelMetrics", Carried),
    ("ModelPackageArn", Provenance),
    ("ModelPackageDescription", Carried),
    ("ModelPackageGroupName", Set("the target group")),
    ("ModelPackageName", Unversioned),
    ("ModelPackageRegistrationType", Carried),
    ("ModelPackageStatus", Provenance),
    ("ModelPackageStatusDetails", Provenance),
    ("ModelPackageVersion", Provenance),
    ("SamplePayloadUrl", Carried),
    ("SecurityConfig", Carried),
    ("SkipModelValidation", Carried),
    ("SourceAlgorithmSpecification", Carried),
    ("SourceUri", Updated),
    ("Tags", Set("a versioned package has the tags of its group")),
    ("Task", Carried),
    ("ValidationSpecification", Carried),
];

/// The treatment of a top-level field, or `None` if this version of promote does not know the field.
pub fn treatment(field: &str) -> Option<Treatment> {
    TREATMENTS.iter().find(|(name, _)| *name == field).map(|(_, treatment)| *treatment)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::schema::shapes::members_of;

    #[test]
    fn exactly_the_fields_of_create_and_describe_have_a_treatment() {
        let create = members_of("CreateModelPackageInput").unwrap();
        let describe = members_of("DescribeModelPackageOutput").unwrap();
        let known: BTreeSet<&str> = create.into_iter().chain(describe).collect();
        let treated: BTreeSet<&str> = TREATMENTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(treated, known);
    }

    #[test]
    fn describe_returns_and_create_accepts_every_carried_field() {
        let create = members_of("CreateModelPackageInput").unwrap();
        let describe = members_of("DescribeModelPackageOutput").unwrap();
        for (name, _) in TREATMENTS.iter().filter(|(_, treatment)| *treatment == Carried) {
            assert!(create.contains(name) && describe.contains(name), "{name}");
        }
    }
}
