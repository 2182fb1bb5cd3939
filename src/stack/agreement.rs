//! Whether inputs go together: all of them come in, the first two that do not agree come out.

use std::fmt;

use super::inputs::Inputs;
use super::names::{ImageUri, KeyArn, PolicyArn, TopicArn};
use crate::model::arn::{RoleArn, partition as partition_of};

/// Two inputs that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    input: &'static str,
    message: String,
}

impl Conflict {
    /// `message` says what is wrong with `input` (its flag) and what is expected.
    pub fn new(input: &'static str, message: impl Into<String>) -> Self {
        Self { input, message: message.into() }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.input, self.message)
    }
}

impl std::error::Error for Conflict {}

impl Inputs {
    /// Whether the inputs agree with each other.
    ///
    /// # Errors
    /// The first two that do not, with what is expected.
    pub fn check(&self) -> Result<(), Conflict> {
        self.check_partitions()?;
        self.check_source()?;
        self.check_regions()?;
        self.check_accounts()
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
                let message =
                    format!("{arn} is of another partition than the source group; expected arn:{partition}:…");
                return Err(Conflict::new(input, message));
            }
        }
        Ok(())
    }

    fn check_source(&self) -> Result<(), Conflict> {
        let (access, group) = (&self.access, &self.source_model_package_group_arn);
        if let Some(role) = access.source_role_arn.as_ref().filter(|role| role.account() != group.account()) {
            let message = format!("the role is of account {}, the source group of {}", role.account(), group.account());
            let expected = format!("expected a role of {}, which reads the group", group.account());
            return Err(Conflict::new("--source-role-arn", format!("{message}; {expected}")));
        }
        let here = access.target_account.as_ref() == Some(group.account())
            && access.target_region.as_ref() == Some(group.region());
        if here && group.name().is(self.target_group().as_str()) {
            let message = "the target group would be the source group itself; expected another name, or a stack in \
                           another account or region";
            return Err(Conflict::new("--target-model-package-group-name", message));
        }
        Ok(())
    }

    /// Keys, topics and images are used in the region of the stack.
    fn check_regions(&self) -> Result<(), Conflict> {
        let Some(region) = &self.access.target_region else { return Ok(()) };
        let regions = [
            ("--kms-key-arn", "the key", self.access.kms_key_arn.as_ref().map(KeyArn::region)),
            ("--signing-key-arn", "the key", self.access.signing_key_arn.as_ref().map(KeyArn::region)),
            ("--results-topic-arn", "the topic", self.module.results_topic_arn.as_ref().map(TopicArn::region)),
            ("--image-uri", "the image", self.build.image_uri.as_ref().map(ImageUri::region)),
        ];
        for (input, what, other) in regions.into_iter().filter_map(|(input, what, other)| Some((input, what, other?))) {
            if other != region {
                let message = format!("{what} is in {other}, the stack in {region}; expected one in {region}");
                return Err(Conflict::new(input, message));
            }
        }
        Ok(())
    }

    /// What the stack can only use in its own account.
    fn check_accounts(&self) -> Result<(), Conflict> {
        let Some(account) = &self.access.target_account else { return Ok(()) };
        let boundary = self.access.permissions_boundary_arn.as_ref();
        let accounts = [
            ("--image-uri", "the image", self.build.image_uri.as_ref().map(ImageUri::account)),
            ("--permissions-boundary-arn", "the policy", boundary.map(PolicyArn::account)),
        ];
        for (input, what, other) in accounts.into_iter().filter_map(|(input, what, other)| Some((input, what, other?)))
        {
            if other != account {
                let message =
                    format!("{what} is of account {other}, the stack of {account}; expected one of {account}");
                return Err(Conflict::new(input, message));
            }
        }
        Ok(())
    }
}
