//! The commands of the AWS CLI that show a policy, and that set one that is in `policy.json`.

use super::grantee::SSO;
use super::mend::Owner;
use crate::model::image::Repository;

/// The command that adds an inline policy to a role or a user. Its name depends on the policy, so that it replaces no
/// other one. AWS changes the roles of IAM Identity Center through their permission sets only.
pub(super) fn put_policy(arn: &str, digest: &str) -> Option<String> {
    let (kind, name) = arn.splitn(6, ':').nth(5)?.split_once('/')?;
    let name = name.rsplit('/').next().filter(|name| !name.starts_with(SSO))?;
    let own = format!("promote-{}", digest.trim_start_matches("sha256:").get(..8)?);
    match kind {
        "role" | "user" => Some(format!(
            "aws iam put-{kind}-policy --{kind}-name {name} --policy-name {own} --policy-document file://policy.json"
        )),
        _ => None,
    }
}

/// The command that sets the policy of a resource.
pub(super) fn set_command(owner: &Owner) -> Option<String> {
    Some(match owner {
        Owner::Principal(_) => return None,
        Owner::Bucket(name) => format!("aws s3api put-bucket-policy --bucket {name} --policy file://policy.json"),
        Owner::Group(arn) => format!(
            "aws sagemaker put-model-package-group-policy{} --model-package-group-name {} --resource-policy \
             file://policy.json",
            region(arn),
            name(arn)
        ),
        Owner::Key(arn) => format!(
            "aws kms put-key-policy{} --key-id {arn} --policy-name default --policy file://policy.json",
            region(arn)
        ),
        Owner::Trust(arn) => {
            format!("aws iam update-assume-role-policy --role-name {} --policy-document file://policy.json", name(arn))
        }
        Owner::Repository(arn) => {
            format!("aws ecr set-repository-policy {} --policy-text file://policy.json", repository(arn)?)
        }
    })
}

/// The command that shows the policy of a resource.
pub(super) fn read_command(owner: &Owner) -> Option<String> {
    Some(match owner {
        Owner::Principal(_) => return None,
        Owner::Bucket(name) => format!("aws s3api get-bucket-policy --bucket {name} --query Policy --output text"),
        Owner::Group(arn) => format!(
            "aws sagemaker get-model-package-group-policy{} --model-package-group-name {} --query ResourcePolicy \
             --output text",
            region(arn),
            name(arn)
        ),
        Owner::Key(arn) => format!(
            "aws kms get-key-policy{} --key-id {arn} --policy-name default --query Policy --output text",
            region(arn)
        ),
        Owner::Trust(arn) => {
            format!("aws iam get-role --role-name {} --query Role.AssumeRolePolicyDocument", name(arn))
        }
        Owner::Repository(arn) => {
            format!("aws ecr get-repository-policy {} --query policyText --output text", repository(arn)?)
        }
    })
}

fn region(arn: &str) -> String {
    arn.split(':').nth(3).map_or(String::new(), |region| format!(" --region {region}"))
}

fn name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

fn repository(arn: &str) -> Option<String> {
    let Repository { registry, name } = Repository::of_arn(arn)?;
    let (account, region) = (registry.account(), registry.region());
    Some(format!("--region {region} --registry-id {account} --repository-name {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_of_identity_center_has_no_command() {
        let put = |name: &str| put_policy(&format!("arn:aws:iam::111222333444:role/{name}"), "sha256:0123456789");
        assert_eq!(put("AWSReservedSSO_Ops_Admin_0123456789abcdef"), None);
        assert!(
            put("a/build").is_some_and(|command| command.contains("--role-name build --policy-name promote-01234567"))
        );
    }
}
