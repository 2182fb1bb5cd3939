//! Makes the template's parameters from the inputs and the image.

use std::fmt;

use super::image_uri::BuildImageUri;
use super::inputs::Inputs;
use crate::model::words::word;

/// The image that the build runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The repository in the target account and region.
    pub repository: String,
    /// The tag.
    pub tag: String,
}

impl Image {
    /// An image that was pushed before.
    pub fn pushed(uri: &BuildImageUri) -> Self {
        Self { repository: uri.repository().to_owned(), tag: uri.tag().to_owned() }
    }
}

impl Inputs {
    /// Every parameter of the template with its value. Unset inputs are empty, so that an update unsets them.
    pub fn parameters(&self, image: &Image) -> Vec<(&'static str, String)> {
        fn text(value: &Option<impl fmt::Display>) -> String {
            value.as_ref().map(ToString::to_string).unwrap_or_default()
        }
        let (access, images, module, build) = (&self.access, &self.images, &self.module, &self.build);
        let (groups, template) = (&self.source_model_package_group_arn, self.target_model_package_group_name.as_ref());
        let [buckets, more_buckets] = in_two_lists(&self.source_buckets());
        let [source_repositories, target_repositories] = self.repositories().map(|arns| arns.join(","));
        vec![
            ("SourceModelPackageGroupArn", groups.to_string()),
            ("SourceGroupInLowerCase", lower(groups.name())),
            ("TargetBucketName", self.target_bucket_name.to_string()),
            ("TargetModelPackageGroupName", template.map(|_| self.target_names()).unwrap_or_default()),
            ("TargetGroupTemplate", text(&template.filter(|_| groups.is_pattern()))),
            ("TargetGroupInLowerCase", lower(&self.target_names())),
            ("TargetPrefix", text(&self.target_prefix)),
            ("Approval", word(self.approval)),
            ("EventBusName", text(&module.event_bus_name)),
            ("Schedule", text(&module.schedule)),
            ("ReviewBeforePromotion", module.review_before_promotion.to_string()),
            ("ResultsTopicArn", text(&module.results_topic_arn)),
            ("StatusPage", module.status_page.to_string()),
            ("SourceRoleArn", text(&access.source_role_arn)),
            ("SourceBucketArns", buckets),
            ("MoreSourceBucketArns", more_buckets),
            ("SourceKmsKeyArn", text(&access.source_kms_key_arn)),
            ("KmsKeyArn", text(&access.kms_key_arn)),
            ("TargetBucketOwner", text(&access.target_bucket_owner)),
            ("TargetSse", text(&access.target_sse)),
            ("TargetAcl", text(&access.target_acl)),
            ("SourceRequestPayer", access.source_request_payer.to_string()),
            ("Images", images.images.clone()),
            ("SourceRepositoryArns", source_repositories),
            ("TargetRepositoryArns", target_repositories),
            ("ImageRepositoryPrefix", text(&images.image_repository_prefix)),
            ("SigningKeyArn", text(&access.signing_key_arn)),
            ("PermissionsBoundaryName", self.boundary().map(ToString::to_string).unwrap_or_default()),
            ("RetainOnDelete", module.retain_on_delete.to_string()),
            ("SageMakerProjectId", text(&module.sagemaker_project_id)),
            ("SageMakerProjectName", text(&module.sagemaker_project_name)),
            ("ImageRepositoryName", image.repository.clone()),
            ("ImageTag", image.tag.clone()),
            ("ComputeType", build.compute_type.clone()),
            ("TimeoutMinutes", build.timeout_minutes.to_string()),
            ("LogRetentionDays", build.log_retention_days.clone()),
        ]
    }
}

/// The longest value of a parameter ("AWS CloudFormation quotas").
pub(super) const LONGEST_VALUE: usize = 4096;

/// The ARNs in two lists: the first is as long as a parameter's value can be, the second has the rest.
pub(super) fn in_two_lists(arns: &[String]) -> [String; 2] {
    let mut length = 0;
    let fits = |arn: &&String| {
        length += arn.len() + 1;
        length <= LONGEST_VALUE + 1
    };
    let (first, rest) = arns.split_at(arns.iter().take_while(fits).count());
    [first.join(","), rest.join(",")]
}

/// The name in lower case, as in the ARNs of a group's versions; empty if it does not differ.
fn lower(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if lower == name { String::new() } else { lower }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{FromArgMatches, Parser};
    use regex::bytes::RegexBuilder;
    use serde_json::Value;

    use super::*;
    use crate::stack::template;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        inputs: Inputs,
    }

    fn inputs(more: &[&str]) -> Inputs {
        let group = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn-Model";
        let line = ["promote", "--source-model-package-group-arn", group, "--target-bucket-name", "serving"];
        let matches = <Line as clap::CommandFactory>::command()
            .mut_args(|argument| argument.env(None::<&str>))
            .get_matches_from(line.iter().chain(more));
        Line::from_arg_matches(&matches).unwrap().inputs
    }

    const EVERYTHING: [&str; 58] = [
        "--target-model-package-group-name",
        "Churn",
        "--target-prefix",
        "models/promoted",
        "--approval",
        "pending",
        "--target-account",
        "111222333444",
        "--target-region",
        "eu-central-1",
        "--source-role-arn",
        "arn:aws:iam::444333666777:role/reader",
        "--source-bucket-names",
        "models,metrics",
        "--source-kms-key-arn",
        "arn:aws:kms:eu-central-1:444333666777:key/1",
        "--kms-key-arn",
        "arn:aws:kms:eu-central-1:111222333444:key/2",
        "--signing-key-arn",
        "arn:aws:kms:eu-central-1:111222333444:key/3",
        "--target-bucket-owner",
        "555666777888",
        "--target-acl",
        "bucket-owner-full-control",
        "--source-request-payer",
        "true",
        "--images",
        "keep",
        "--image-repository-names",
        "serve,team/*",
        "--image-repository-prefix",
        "models/",
        "--permissions-boundary-name",
        "boundary",
        "--stack-name",
        "mlops",
        "--event-bus-name",
        "mlops-bus",
        "--schedule",
        "rate(1 day)",
        "--review-before-promotion",
        "true",
        "--results-topic-arn",
        "arn:aws:sns:eu-central-1:111222333444:results",
        "--status-page",
        "true",
        "--retain-on-delete",
        "false",
        "--sagemaker-project-id",
        "p-1",
        "--sagemaker-project-name",
        "churn",
        "--compute-type",
        "BUILD_GENERAL1_LARGE",
        "--timeout-minutes",
        "30",
        "--log-retention-days",
        "7",
    ];

    fn image() -> Image {
        Image { repository: "promote".into(), tag: "1".into() }
    }

    #[test]
    fn the_parameters_are_those_of_the_template() {
        let template = template::json().unwrap();
        let declared: BTreeSet<&str> = template["Parameters"].as_object().unwrap().keys().map(String::as_str).collect();
        let parameters = inputs(&[]).parameters(&image());
        let given: BTreeSet<&str> = parameters.iter().map(|(name, _)| *name).collect();
        assert_eq!(given, declared);
    }

    #[test]
    fn the_template_accepts_what_the_inputs_accept() {
        let template = template::json().unwrap();
        for more in [&[] as &[&str], &EVERYTHING] {
            let inputs = inputs(more);
            assert_eq!(inputs.check(), Ok(()));
            for (name, value) in inputs.parameters(&image()) {
                assert_fits(&template["Parameters"][name], name, &value);
            }
        }
    }

    fn assert_fits(parameter: &Value, name: &str, value: &str) {
        if let Some(pattern) = parameter["AllowedPattern"].as_str() {
            // As in CloudFormation's patterns, \w and \d are ASCII.
            let pattern = RegexBuilder::new(&format!("^(?:{pattern})$")).unicode(false).build().unwrap();
            let list = parameter["Type"] == "CommaDelimitedList";
            let values: Vec<&str> = if list { value.split(',').collect() } else { vec![value] };
            assert!(
                values.iter().all(|value| pattern.is_match(value.as_bytes())),
                "{name}={value} does not match {pattern}"
            );
        }
        if let Some(allowed) = parameter["AllowedValues"].as_array() {
            let text = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
            assert!(allowed.iter().any(|one| text(one) == value), "{name}={value}");
        }
    }

    #[test]
    fn defaults_are_the_template_s() {
        let template = template::json().unwrap();
        for (name, value) in inputs(&[]).parameters(&image()) {
            let default = &template["Parameters"][name]["Default"];
            let required = ["SourceModelPackageGroupArn", "TargetBucketName", "ImageRepositoryName", "ImageTag"];
            if required.contains(&name) || name.ends_with("InLowerCase") {
                continue;
            }
            assert_eq!(default.as_str().map_or_else(|| default.to_string(), str::to_owned), value, "{name}");
        }
    }

    #[test]
    fn a_hundred_buckets_with_long_names_are_in_two_parameters_and_more_are_refused() {
        let names = |count: usize| (0..count).map(|number| format!("{number:0>63}")).collect::<Vec<_>>().join(",");
        let hundred = inputs(&["--source-bucket-names", &names(100)]);
        assert_eq!(hundred.check(), Ok(()));
        let lists: Vec<String> = hundred
            .parameters(&image())
            .into_iter()
            .filter(|(name, _)| name.ends_with("SourceBucketArns"))
            .map(|(_, value)| value)
            .collect();
        assert!(lists.iter().all(|list| list.len() <= 4096), "{lists:?}");
        assert_eq!(lists.join(",").split(',').count(), 100);
        let refused = inputs(&["--source-bucket-names", &names(110)]).check().unwrap_err();
        assert!(refused.to_string().starts_with("--source-bucket-names: "), "{refused}");
    }

    #[test]
    fn a_group_with_capitals_is_also_given_in_lower_case() {
        let given = |inputs: Inputs, name: &str| {
            inputs.parameters(&image()).into_iter().find(|(one, _)| *one == name).unwrap().1
        };
        assert_eq!(given(inputs(&[]), "SourceGroupInLowerCase"), "churn-model");
        assert_eq!(given(inputs(&[]), "TargetGroupInLowerCase"), "churn-model");
        let other = inputs(&["--target-model-package-group-name", "churn"]);
        assert_eq!(given(other, "TargetGroupInLowerCase"), "");
    }

    #[test]
    fn the_name_of_a_boundary_takes_precedence_over_its_arn() {
        let arn = ["--permissions-boundary-arn", "arn:aws:iam::111222333444:policy/of-the-deployment"];
        assert_eq!(inputs(&arn).boundary().unwrap().as_str(), "of-the-deployment");
        let both: Vec<&str> = arn.into_iter().chain(["--permissions-boundary-name", "of-the-module"]).collect();
        assert_eq!(inputs(&both).boundary().unwrap().as_str(), "of-the-module");
    }
}
