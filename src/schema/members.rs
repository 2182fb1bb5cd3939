//! What becomes of each top-level member of a described package: the verdicts that make a promotion lossless.
//!
//! Sources: the API reference of CreateModelPackage, DescribeModelPackage and UpdateModelPackage. Nested members
//! share their top-level member's verdict, except the references in `references.rs` and the ETags there.

/// What is done with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The target package has it as the source has it, references rewritten.
    Carried,
    /// The tool sets it; the reason says from what.
    Set(&'static str),
    /// Create does not accept it (together with the rest); an Update sets it afterwards.
    Updated,
    /// Facts of the source alone: recorded, never sent.
    Provenance,
    /// Only unversioned packages have it, and these are refused.
    Unversioned,
    /// A package with it cannot be promoted.
    Refused,
}

use Verdict::{Carried, Provenance, Refused, Set, Unversioned, Updated};

/// Every member of Create and Describe, and what is done with it.
pub const VERDICTS: [(&str, Verdict); 34] = [
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

/// The verdict for a member, or nothing for one that this version does not know.
pub fn verdict(member: &str) -> Option<Verdict> {
    VERDICTS.iter().find(|(name, _)| *name == member).map(|(_, verdict)| *verdict)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::schema::shapes::members_of;

    #[test]
    fn every_member_of_create_and_describe_has_a_verdict_and_nothing_else_has() {
        let create = members_of("CreateModelPackageInput").unwrap();
        let describe = members_of("DescribeModelPackageOutput").unwrap();
        let known: BTreeSet<&str> = create.into_iter().chain(describe).collect();
        let judged: BTreeSet<&str> = VERDICTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(judged, known);
    }

    #[test]
    fn what_is_carried_is_described_and_accepted() {
        let create = members_of("CreateModelPackageInput").unwrap();
        let describe = members_of("DescribeModelPackageOutput").unwrap();
        for (name, _) in VERDICTS.iter().filter(|(_, verdict)| *verdict == Carried) {
            assert!(create.contains(name) && describe.contains(name), "{name}");
        }
    }
}
