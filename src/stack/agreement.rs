//! Checks the inputs of the stack against each other.

use std::fmt;

use super::image_uri::BuildImageUri;
use super::inputs::{DEFAULT_MINUTES, Inputs};
use super::names::{KeyArn, PolicyArn, TopicArn};
use super::parameters::{LONGEST_VALUE, in_two_lists};
use crate::model::arn::{GroupName, RoleArn, partition as partition_of};

/// The time limit of builds on Lambda (CodeBuild User Guide, "Quotas").
const LAMBDA_MINUTES: u16 = 15;

/// Two inputs that conflict, or an input that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    input: &'static str,
    message: String,
    hint: String,
}

impl Conflict {
    /// `message`: the error in `input`, which is a flag. `hint`: the next step.
    pub fn new(input: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { input, message: message.into(), hint: hint.into() }
    }

    /// The next step: one sentence without a full stop.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.input, self.message)
    }
}

impl std::error::Error for Conflict {}

impl Inputs {
    /// Checks the inputs against each other.
    ///
    /// # Errors
    /// The first conflict.
    pub fn check(&self) -> Result<(), Conflict> {
        self.check_partitions()?;
        self.check_timeout()?;
        self.check_source()?;
        self.check_target_names()?;
        self.check_regions()?;
        self.check_accounts()?;
        self.check_encryption()?;
        self.check_buckets()?;
        self.check_repositories()
    }

    /// A build on Lambda has a time limit of its own. The default is none that somebody has chosen.
    fn check_timeout(&self) -> Result<(), Conflict> {
        let (minutes, on_lambda) = (self.build.timeout_minutes, self.build.compute_type.starts_with("BUILD_LAMBDA"));
        if !on_lambda || minutes <= LAMBDA_MINUTES || minutes == DEFAULT_MINUTES {
            return Ok(());
        }
        let message = format!("{minutes} minutes, but builds on Lambda are stopped after {LAMBDA_MINUTES}");
        Err(Conflict::new(
            "--timeout-minutes",
            message,
            "Leave it out, or pass a `--compute-type` that is not on Lambda",
        ))
    }

    fn check_partitions(&self) -> Result<(), Conflict> {
        let (access, partition) = (&self.access, self.partition());
        let arns = [
            ("--source-role-arn", access.source_role_arn.as_ref().map(RoleArn::as_str)),
            ("--source-kms-key-arn", access.source_kms_key_arn.as_ref().map(KeyArn::as_str)),
            ("--kms-key-arn", access.kms_key_arn.as_ref().map(KeyArn::as_str)),
            ("--signing-key-arn", access.signing_key_arn.as_ref().map(KeyArn::as_str)),
            ("--permissions-boundary-arn", access.permissions_boundary_arn.as_ref().map(PolicyArn::as_str)),
            ("--results-topic-arn", self.module.results_topic_arn.as_ref().map(TopicArn::as_str)),
        ];
        for (input, arn) in arns.into_iter().filter_map(|(input, arn)| Some((input, arn?))) {
            if partition_of(arn) != Some(partition) {
                let message = format!("{arn} is not in the partition of the source group");
                return Err(Conflict::new(input, message, format!("Pass an ARN that begins with arn:{partition}:")));
            }
        }
        Ok(())
    }

    /// A write has one kind of encryption.
    fn check_encryption(&self) -> Result<(), Conflict> {
        match (&self.access.target_sse, &self.access.kms_key_arn) {
            (Some(sse), Some(key)) => {
                let message = format!("{sse} is encryption without a KMS key, but `--kms-key-arn` is {key}");
                Err(Conflict::new("--target-sse", message, "Leave one of the two out"))
            }
            _ => Ok(()),
        }
    }

    fn check_source(&self) -> Result<(), Conflict> {
        let (access, group) = (&self.access, &self.source_model_package_group_arn);
        if let Some(role) = access.source_role_arn.as_ref().filter(|role| role.account() != group.account()) {
            let message =
                format!("the role is in account {}, but the source group is in {}", role.account(), group.account());
            let hint = format!("Pass a role in account {} that can read the group", group.account());
            return Err(Conflict::new("--source-role-arn", message, hint));
        }
        let here = access.target_account.as_ref() == Some(group.account())
            && access.target_region.as_ref() == Some(group.region());
        if here && group.name().eq_ignore_ascii_case(&self.target_names()) {
            let message = "the target group is the source group";
            let hint = "Pass another name, or deploy the stack in another account or region";
            return Err(Conflict::new("--target-model-package-group-name", message, hint));
        }
        Ok(())
    }

    /// Each source group has a target group of its own, whose name SageMaker accepts.
    fn check_target_names(&self) -> Result<(), Conflict> {
        const INPUT: &str = "--target-model-package-group-name";
        let (groups, names) = (&self.source_model_package_group_arn, self.target_names());
        if groups.is_pattern() && !names.contains('*') {
            let message = format!("{names} would be the target group of every group that matches {}", groups.name());
            return Err(Conflict::new(INPUT, message, "Pass a name with {group}, such as prod-{group}"));
        }
        match names.replace('*', "x").parse::<GroupName>() {
            Ok(_) => Ok(()),
            Err(error) => Err(Conflict::new(INPUT, error.to_string(), "Shorten the name")),
        }
    }

    /// Keys, topics and images have to be in the region of the stack.
    fn check_regions(&self) -> Result<(), Conflict> {
        let Some(region) = &self.access.target_region else { return Ok(()) };
        let regions = [
            ("--kms-key-arn", "the key", self.access.kms_key_arn.as_ref().map(KeyArn::region)),
            ("--signing-key-arn", "the key", self.access.signing_key_arn.as_ref().map(KeyArn::region)),
            ("--results-topic-arn", "the topic", self.module.results_topic_arn.as_ref().map(TopicArn::region)),
            ("--image-uri", "the image", self.build.image_uri.as_ref().map(BuildImageUri::region)),
        ];
        for (input, what, other) in regions.into_iter().filter_map(|(input, what, other)| Some((input, what, other?))) {
            if other != region {
                let message = format!("{what} is in {other}, but the stack is in {region}");
                return Err(Conflict::new(input, message, format!("Pass one in {region}")));
            }
        }
        Ok(())
    }

    /// The template's parameters have room for some 100 buckets.
    fn check_buckets(&self) -> Result<(), Conflict> {
        let buckets = self.source_buckets();
        if in_two_lists(&buckets)[1].len() <= LONGEST_VALUE {
            return Ok(());
        }
        let message = format!("the template's parameters have no room for {} buckets", buckets.len());
        let hint = "Omit the flag: the build can then read every bucket of the source account whose policy allows it";
        Err(Conflict::new("--source-bucket-names", message, hint))
    }

    /// The policy of the build's role has room for some 35 repositories (IAM quotas: 6,144 characters of a managed
    /// policy).
    fn check_repositories(&self) -> Result<(), Conflict> {
        const INPUT: &str = "--image-repository-names";
        let count = self.image_repositories().len();
        let [source, target] = self.repositories();
        if self.copies_images() && count > 0 && target.is_empty() {
            let message = "the ARNs of the target's repositories need the account and the region of the stack";
            return Err(Conflict::new(INPUT, message, "Pass `--target-account` and `--target-region`"));
        }
        if source.join(",").len() + target.join(",").len() <= LONGEST_VALUE {
            return Ok(());
        }
        let message = format!("the policy of the build's role has no room for {count} repositories");
        Err(Conflict::new(INPUT, message, "Pass patterns, such as team/*"))
    }

    /// Images and policies have to be in the account of the stack.
    fn check_accounts(&self) -> Result<(), Conflict> {
        let Some(account) = &self.access.target_account else { return Ok(()) };
        let boundary = self.access.permissions_boundary_arn.as_ref();
        let accounts = [
            ("--image-uri", "the image", self.build.image_uri.as_ref().map(BuildImageUri::account)),
            ("--permissions-boundary-arn", "the policy", boundary.map(PolicyArn::account)),
        ];
        for (input, what, other) in accounts.into_iter().filter_map(|(input, what, other)| Some((input, what, other?)))
        {
            if other != account {
                let message = format!("{what} is in account {other}, but the stack is in {account}");
                return Err(Conflict::new(input, message, format!("Pass one in account {account}")));
            }
        }
        Ok(())
    }
}
