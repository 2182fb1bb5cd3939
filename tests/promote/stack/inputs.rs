//! Where inputs come from and which are refused.

use super::*;

/// Each wrong on its own, behind inputs that are right.
const WRONG: [&str; 37] = [
    "--source-model-package-group-arn Churn-Model",
    "--source-model-package-group-arn arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/7",
    "--source-model-package-group-arn arn:aws:sagemaker:eu-central-1:4443:model-package-group/churn",
    "--target-bucket-name s3://serving",
    "--target-bucket-name arn:aws:s3:::serving",
    "--target-bucket-name Serving",
    "--target-model-package-group-name churn/prod",
    "--target-prefix ../up",
    "--target-account 1112-2233-3444",
    "--target-region Frankfurt",
    "--event-bus-name arn:aws:events:eu-central-1:111222333444:event-bus/mlops",
    "--event-bus-name mlops bus",
    "--kms-key-arn alias/serving",
    "--kms-key-arn arn:aws:kms:eu-central-1:111222333444:alias/serving",
    "--kms-key-arn arn:aws:kms:eu-west-1:111222333444:key/1234",
    "--kms-key-arn arn:aws-cn:kms:eu-central-1:111222333444:key/1234",
    "--source-kms-key-arn 1234",
    "--signing-key-arn arn:aws:kms:us-east-1:111222333444:key/1234",
    "--source-role-arn reader",
    "--source-role-arn arn:aws:iam::555666777888:role/reader",
    "--source-bucket-names [models]",
    "--source-bucket-names models,Metrics",
    "--images move",
    "--image-repository-names Serve",
    "--image-repository-names serve:1",
    "--image-repository-prefix Models/",
    "--permissions-boundary-name arn:aws:iam::111222333444:policy/boundary",
    "--permissions-boundary-arn arn:aws:iam::aws:policy/PowerUserAccess",
    "--permissions-boundary-arn arn:aws:iam::555666777888:policy/boundary",
    "--results-topic-arn results",
    "--results-topic-arn arn:aws:sns:eu-west-1:111222333444:results",
    "--sagemaker-project-id a-very-long-project-identifier",
    "--sagemaker-project-name churn-",
    "--retain-on-delete perhaps",
    "--compute-type SMALL",
    "--timeout-minutes 4",
    "--log-retention-days 8",
];

/// Each wrong on its own.
const WRONG_ALTOGETHER: [&str; 10] = [
    "",
    "assembly",
    "parameters --target-bucket-name serving",
    "assembly --source-model-package-group-arn GROUP --target-bucket-name serving",
    "assembly --source-model-package-group-arn GROUP --target-bucket-name serving --output-dir out",
    "assembly --source-model-package-group-arn GROUP --target-bucket-name serving --output-dir out --target-account 111222333444",
    "assembly --source-model-package-group-arn GROUP --target-bucket-name serving --output-dir out --target-account 111222333444 --target-region eu-central-1",
    "parameters --source-model-package-group-arn GROUP --target-bucket-name serving",
    "parameters --source-model-package-group-arn GROUP --target-bucket-name serving --target-account 444333666777 --target-region eu-central-1",
    "parameters --source-model-package-group-arn GROUP --target-bucket-name serving --image-uri promote:1.0",
];

#[test]
fn wrong_inputs_exit_2_name_the_input_and_show_what_is_expected() {
    let mut text = String::new();
    for wrong in WRONG {
        let (flag, value) = wrong.split_once(' ').expect("a flag and a value");
        let mut arguments = with("parameters", &[]);
        arguments.extend(IMAGE);
        match arguments.iter().position(|given| *given == flag) {
            Some(at) => arguments[at + 1] = value,
            None => arguments.extend([flag, value]),
        }
        let run = stack(&arguments, &[]);
        assert!(run.stderr.contains(flag), "{wrong}: {}", run.stderr);
        add(&mut text, &format!("… {wrong}"), &run);
    }
    for line in WRONG_ALTOGETHER {
        let line = line.replace("GROUP", GROUP);
        let run = stack(&line.split_whitespace().collect::<Vec<_>>(), &[]);
        add(&mut text, &line, &run);
    }
    assert_snapshot("stack-wrong-inputs", &text);
}

fn add(text: &mut String, line: &str, run: &Run) {
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{line}: {}", run.stderr);
    text.push_str(&format!("$ promote stack {line}\n{}--- exit {}\n\n", run.stderr, run.code));
}

#[test]
fn a_time_limit_that_builds_on_lambda_do_not_have_is_refused() {
    let on_lambda = ["--compute-type", "BUILD_LAMBDA_2GB"];
    let arguments = |minutes| [&with("parameters", &IMAGE)[..], &on_lambda, &["--timeout-minutes", minutes]].concat();
    stack(&arguments("120"), &[]).fails(2, &["--timeout-minutes: 120 minutes", "stopped after 15", "--compute-type"]);
    assert_eq!(stack(&arguments("10"), &[]).code, 0);
    assert_eq!(stack(&[&with("parameters", &IMAGE)[..], &on_lambda].concat(), &[]).code, 0);
}

#[test]
fn named_repositories_are_those_of_the_parameters_with_the_prefix_in_the_target() {
    let images = ["--image-repository-names", "serve,team/*", "--image-repository-prefix", "models/"];
    let given = parameters(&stack(&with("parameters", &[&IMAGE[..], &images].concat()), &[]));
    for (name, value) in [
        ("Images", "copy"),
        ("SourceRepositoryArns", "arn:aws:ecr:*:*:repository/serve,arn:aws:ecr:*:*:repository/team/*"),
        (
            "TargetRepositoryArns",
            "arn:aws:ecr:eu-central-1:111222333444:repository/models/serve,\
             arn:aws:ecr:eu-central-1:111222333444:repository/models/team/*",
        ),
        ("ImageRepositoryPrefix", "models/"),
    ] {
        assert_eq!(given[name], value, "{name}");
    }
}

#[test]
fn repositories_without_a_place_or_too_many_of_them_are_refused() {
    let here: Vec<&str> = ["parameters"].into_iter().chain(REQUIRED).chain(IMAGE).collect();
    let names = ["--image-repository-names", "serve"];
    stack(&[&here[..], &names].concat(), &[]).fails(2, &["--image-repository-names", "`--target-account`"]);
    assert_eq!(stack(&[&here[..], &names, &["--images", "keep"]].concat(), &[]).code, 0);
    let many = (0..50).map(|number| format!("team/of-{number}/model")).collect::<Vec<_>>().join(",");
    let many = ["--image-repository-names", &many];
    stack(&with("parameters", &[&IMAGE[..], &many].concat()), &[])
        .fails(2, &["no room for 50 repositories", "Pass patterns"]);
}

#[test]
fn all_missing_inputs_are_named_at_once() {
    let missing = |form: &str, expected: &[&str]| stack(&[form], &[]).fails(2, expected);
    missing("parameters", &["--source-model-package-group-arn", "--target-bucket-name", "--image-uri"]);
    missing("source-grants", &["--source-model-package-group-arn", "--target-account", "--target-region"]);
    let place = ["--target-account", "--target-region", "--stack-name", "--output-dir"];
    missing("assembly", &[&["--source-model-package-group-arn", "--target-bucket-name"], &place[..]].concat());
}

#[test]
fn the_names_of_promote_full_s_flags_are_accepted_and_the_other_way_round() {
    let key = "arn:aws:kms:eu-central-1:111222333444:key/3";
    let short = ["--group", GROUP, "--target-bucket", "serving", "--target-group", "churn", "--sign-key", key];
    let arguments: Vec<&str> = ["parameters"].into_iter().chain(PLACE).chain(IMAGE).chain(short).collect();
    let given = parameters(&stack(&arguments, &[]));
    assert_eq!((&given["TargetModelPackageGroupName"], &given["SigningKeyArn"]), (&"churn".into(), &key.into()));
    let long = ["--source-model-package-group-arn", GROUP, "--target-bucket-name", "serving"];
    let more = ["--target-model-package-group-name", "churn", "--signing-key-arn", key, "--no-such-flag"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_promote"));
    command.arg("full").args(long).args(more).env_clear();
    Run::of(command.output().expect("the binary starts")).fails(2, &["unexpected argument '--no-such-flag'"]);
}

#[test]
fn the_run_at_creation_is_announced_where_the_parameters_are_made() {
    let says = "runs once as soon as it is created";
    assert!(stack(&with("parameters", &IMAGE), &[]).stderr.contains(says));
    let review = [IMAGE[0], IMAGE[1], "--review-before-promotion", "true"];
    assert_eq!(stack(&with("parameters", &review), &[]).stderr, "");
}

#[test]
fn an_image_of_another_account_or_region_is_refused() {
    for (image, says) in [
        ("555666777888.dkr.ecr.eu-central-1.amazonaws.com/promote:1", "the image is in account 555666777888"),
        ("111222333444.dkr.ecr.eu-west-1.amazonaws.com/promote:1", "in eu-west-1"),
        ("111222333444.dkr.ecr.eu-central-1.amazonaws.com/promote@sha256:aa", "not a digest"),
    ] {
        stack(&with("parameters", &["--image-uri", image]), &[]).fails(2, &["--image-uri", says]);
    }
}

/// The specification's inputs as SeedFarmer hands them over, and all the optional ones.
const SEEDFARMER: [(&str, &str); 16] = [
    ("SEEDFARMER_PROJECT_NAME", "mlops"),
    ("SEEDFARMER_DEPLOYMENT_NAME", "prod"),
    ("SEEDFARMER_MODULE_NAME", "models-promote"),
    ("SEEDFARMER_PARAMETER_SOURCE_MODEL_PACKAGE_GROUP_ARN", GROUP),
    ("SEEDFARMER_PARAMETER_TARGET_BUCKET_NAME", "serving"),
    ("SEEDFARMER_PARAMETER_EVENT_BUS_NAME", "mlops-bus"),
    ("SEEDFARMER_PARAMETER_TARGET_MODEL_PACKAGE_GROUP_NAME", "churn"),
    ("SEEDFARMER_PARAMETER_SAGEMAKER_PROJECT_ID", "p-1"),
    ("SEEDFARMER_PARAMETER_SAGEMAKER_PROJECT_NAME", "churn"),
    ("SEEDFARMER_PARAMETER_KMS_KEY_ARN", "arn:aws:kms:eu-central-1:111222333444:key/1"),
    ("SEEDFARMER_PARAMETER_RETAIN_ON_DELETE", "false"),
    ("SEEDFARMER_PARAMETER_PERMISSIONS_BOUNDARY_NAME", "my-boundary"),
    ("SEEDFARMER_PARAMETER_SOURCE_BUCKET_NAMES", "[\"models\", \"metrics\"]"),
    ("SEEDFARMER_PARAMETER_IMAGES", "keep"),
    ("SEEDFARMER_PARAMETER_IMAGE_REPOSITORY_PREFIX", "models/"),
    ("AWS_REGION", "eu-central-1"),
];

#[test]
fn inputs_come_from_seedfarmer() {
    let run = stack(&["parameters", IMAGE[0], IMAGE[1]], &SEEDFARMER);
    let given = parameters(&run);
    for (name, value) in [
        ("SourceModelPackageGroupArn", GROUP),
        ("TargetBucketName", "serving"),
        ("EventBusName", "mlops-bus"),
        ("TargetModelPackageGroupName", "churn"),
        ("SageMakerProjectId", "p-1"),
        ("SageMakerProjectName", "churn"),
        ("KmsKeyArn", "arn:aws:kms:eu-central-1:111222333444:key/1"),
        ("RetainOnDelete", "false"),
        ("PermissionsBoundaryName", "my-boundary"),
        ("SourceBucketArns", "arn:aws:s3:::models,arn:aws:s3:::metrics"),
        ("Images", "keep"),
        ("ImageRepositoryPrefix", "models/"),
    ] {
        assert_eq!(given[name], value, "{name}");
    }
}

#[test]
fn a_flag_wins_over_a_variable_and_promote_s_variable_over_seedfarmer_s() {
    let bus = |more: &[&str], variables: &[(&str, &str)]| {
        let variables: Vec<(&str, &str)> = SEEDFARMER.iter().chain(variables).copied().collect();
        let arguments: Vec<&str> = ["parameters"].into_iter().chain(IMAGE).chain(more.iter().copied()).collect();
        parameters(&stack(&arguments, &variables))["EventBusName"].clone()
    };
    let own = [("PROMOTE_EVENT_BUS_NAME", "own")];
    assert_eq!(bus(&["--event-bus-name", "flag"], &own), "flag");
    assert_eq!(bus(&[], &own), "own");
    assert_eq!(bus(&[], &[("PROMOTE_EVENT_BUS_NAME", "")]), "mlops-bus");
    assert_eq!(bus(&[], &[("SEEDFARMER_PARAMETER_EVENT_BUS_NAME", "")]), "");
}

#[test]
fn the_boundary_of_the_deployment_holds_unless_the_module_names_one() {
    let deployment = ("SEEDFARMER_PERMISSIONS_BOUNDARY_ARN", "arn:aws:iam::111222333444:policy/of-the-deployment");
    let module = ("SEEDFARMER_PARAMETER_PERMISSIONS_BOUNDARY_NAME", "of-the-module");
    let boundary = |variables: &[(&str, &str)]| {
        parameters(&stack(&with("parameters", &IMAGE), variables))["PermissionsBoundaryName"].clone()
    };
    assert_eq!(boundary(&[deployment]), "of-the-deployment");
    assert_eq!(boundary(&[deployment, module]), "of-the-module");
    assert_eq!(boundary(&[]), "");
}

#[test]
fn a_pattern_of_source_groups_has_target_groups_of_the_same_names_or_of_a_template() {
    let of = |group: &str, more: &[&str]| {
        let given = parameters(&stack(&with_group("parameters", group, &[&IMAGE[..], more].concat()), &[]));
        ["SourceModelPackageGroupArn", "TargetModelPackageGroupName", "TargetGroupTemplate", "TargetGroupInLowerCase"]
            .map(|name| given[name].as_str().expect("a text").to_owned())
    };
    assert_eq!(of(PATTERN, &[]), [PATTERN, "", "", ""]);
    assert_eq!(
        of(PATTERN, &["--target-group", "Prod-{group}"]),
        [PATTERN, "Prod-team-*", "Prod-{group}", "prod-team-*"]
    );
    // One group has a name, also with a template.
    assert_eq!(of(GROUP, &["--target-group", "Prod-{group}"]), [GROUP, "Prod-Churn-Model", "", "prod-churn-model"]);
}

#[test]
fn a_pattern_that_no_event_rule_can_have_or_that_promotes_all_groups_into_one_is_refused() {
    let refused = |group: &str, more: &[&str], says: &[&str]| {
        stack(&with_group("parameters", group, &[&IMAGE[..], more].concat()), &[]).fails(2, says);
    };
    let arn = |name: &str| GROUP.replace("Churn-Model", name);
    for name in ["team-?", "team-**", "*/1"] {
        refused(&arn(name), &[], &["--source-model-package-group-arn", "event patterns have neither ? nor **"]);
    }
    refused(
        PATTERN,
        &["--target-group", "prod"],
        &["--target-model-package-group-name", "every group that matches team-*"],
    );
    let long = format!("{}-{{group}}", "a".repeat(60));
    refused(GROUP, &["--target-group", &long], &["--target-model-package-group-name", "1 to 63"]);
}

#[test]
fn a_schedule_that_eventbridge_does_not_take_is_refused() {
    for schedule in ["daily", "rate(1 days)", "cron(0 6 * * * *)"] {
        let run = stack(&with("parameters", &[IMAGE[0], IMAGE[1], "--schedule", schedule]), &[]);
        run.fails(2, &["--schedule", "rate(1 day)"]);
    }
}
