//! The permissions on the groups of the model registry.

use super::denied::Denial;
use crate::model::side::Side;
use crate::model::words::listed;

impl Denial<'_> {
    pub(super) fn registry_grant(&self, group: &str) -> String {
        let about_groups = self.call.ends_with("Group") || self.call.ends_with("Tags");
        let reads = self.side == Side::Source || self.reads_only;
        let actions = match (reads, about_groups) {
            (true, false) => "sagemaker:ListModelPackages and sagemaker:DescribeModelPackage",
            (false, false) => {
                "sagemaker:ListModelPackages, sagemaker:DescribeModelPackage, sagemaker:CreateModelPackage, \
                 sagemaker:UpdateModelPackage and sagemaker:DeleteModelPackage"
            }
            (true, true) => "sagemaker:DescribeModelPackageGroup and sagemaker:ListTags",
            (false, true) => {
                "sagemaker:DescribeModelPackageGroup, sagemaker:CreateModelPackageGroup and sagemaker:AddTags"
            }
        };
        let theirs = match self.side {
            Side::Source => " (for another account's group, in its resource policy too)",
            Side::Target => "",
        };
        let groups = self.groups.of(group);
        let packages = groups.iter().filter(|_| !about_groups).map(|group| packages_of(group)).collect::<Vec<_>>();
        format!("Grant {actions} on {} to this principal{theirs}", listed(&[groups, packages].concat()))
    }
}

fn packages_of(group: &str) -> String {
    format!("{}/*", group.replacen(":model-package-group/", ":model-package/", 1))
}

#[cfg(test)]
mod tests {
    use super::super::denied::TargetBucket;
    use super::super::spellings::Spellings;
    use super::*;
    use crate::aws::resource::Resource;
    use crate::model::arn::{GroupArn, PackageArn};

    const GROUP: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn-Model";

    #[test]
    fn a_group_with_capitals_is_granted_in_both_spellings() {
        let groups = Spellings::default();
        let group: GroupArn = GROUP.parse().unwrap();
        groups.note(&group);
        let version: PackageArn =
            "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/1".parse().unwrap();
        let remedy = |call, resource| {
            let target_bucket = &TargetBucket::default();
            let (side, region, message) = (Side::Source, "eu-central-1", "no");
            let denial = Denial { side, call, region, message, groups: &groups, target_bucket, reads_only: false };
            denial.remedy(&resource)
        };
        let packages = GROUP.replace("-group", "");
        let lower = [GROUP.to_lowercase(), packages.to_lowercase()];
        let says = format!("{GROUP}, {}, {packages}/* and {}/* to this principal", lower[0], lower[1]);
        for (call, resource) in [
            ("sagemaker:ListModelPackages", Resource::Group(&group)),
            ("sagemaker:DescribeModelPackage", Resource::Package(&version)),
        ] {
            let remedy = remedy(call, resource);
            assert!(remedy.contains(&says), "{remedy}");
        }
        let tags = remedy("sagemaker:ListTags", Resource::Group(&group));
        assert!(tags.contains(&format!("on {GROUP} and {} to this principal", lower[0])), "{tags}");
    }
}
