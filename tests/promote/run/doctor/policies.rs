//! The policies that allow what is denied: of whom, for whom, and in which account.

use super::*;
use crate::support::{Failure, Moment};

/// An account that owns neither group.
const THIRD: &str = "999988887777";

/// The policies of a run, each with what has it.
fn of(run: &Run, kind: &str) -> Vec<Value> {
    let policies = document(run)["policies"].as_array().cloned().unwrap_or_default();
    policies.into_iter().filter(|one| one["of"].get(kind).is_some()).collect()
}

#[test]
fn the_policy_of_a_source_bucket_names_its_account_only_if_that_is_known() {
    let cloud = encrypted();
    cloud.create_bucket("third", THIRD);
    cloud.put("third", "model.tar.gz", "weights");
    cloud.register(model("s3://third/model.tar.gz"));
    cloud.allow(Principal::Both, "s3:*", "third*");
    cloud.deny(Principal::Both, "s3:GetObject", "third/*");
    let policies = of(&doctor(&cloud, &[]), "bucket");
    assert_eq!(policies.len(), 1, "{policies:#?}");
    assert_eq!((&policies[0]["of"]["bucket"], policies[0].get("account")), (&json!("third"), None));

    cloud.register(model("s3://models/churn/model.tar.gz"));
    cloud.deny(Principal::Both, "s3:GetObject", "models/*");
    let policies = of(&doctor(&cloud, &[]), "bucket");
    assert_eq!((&policies[0]["of"]["bucket"], &policies[0]["account"]), (&json!("models"), &json!(SOURCE_ACCOUNT)));

    cloud.deny(Principal::Both, "s3:ListBucket", "models");
    let policies = of(&doctor(&cloud, &[]), "bucket");
    assert_eq!((&policies[0]["of"]["bucket"], policies[0].get("account")), (&json!("models"), None));
}

#[test]
fn a_bucket_of_the_principals_own_account_gets_no_policy() {
    let cloud = encrypted();
    cloud.deny(Principal::Source, "s3:GetObject", "models/*");
    let group = Cloud::group_arn(GROUP);
    let flags = [&["doctor", "--group", &group, "--target-bucket", SERVING, "--output", "json"][..], &TWO_PRINCIPALS];
    let run = super::run(&cloud, Principal::Stranger, &flags.concat());
    assert_eq!(of(&run, "bucket"), Vec::<Value>::new());
    assert_eq!(of(&run, "principal").len(), 1, "{:#}", document(&run));
}

/// Doctor for a target bucket of a third account, with this principal for the target.
fn theirs(cloud: &Cloud, target: [&str; 2]) -> Run {
    cloud.create_bucket("theirs", THIRD);
    let group = Cloud::group_arn(GROUP);
    let flags = ["doctor", "--group", &group, "--target-bucket", "theirs", "--target-bucket-owner", THIRD];
    super::run(cloud, Principal::Both, &[&flags[..], &target, &["--output", "json"]].concat())
}

#[test]
fn a_target_bucket_of_another_account_gets_a_policy_for_a_role_by_its_arn_with_its_path() {
    let cloud = encrypted();
    let role = "arn:aws:iam::111222333444:role/service-role/both";
    let run = theirs(&cloud, ["--target-role-arn", role]);
    let policies = of(&run, "bucket");
    assert_eq!(policies.len(), 1, "{:#}", document(&run));
    assert_eq!((&policies[0]["of"]["bucket"], &policies[0]["account"]), (&json!("theirs"), &json!(THIRD)));
    let statements = policies[0]["policy"]["Statement"].as_array().cloned().unwrap_or_default();
    assert!(statements.iter().all(|one| one["Principal"] == json!({ "AWS": role })), "{statements:#?}");
    let command = of(&run, "principal")[0]["command"].as_str().unwrap_or_default().to_owned();
    assert!(command.starts_with("aws iam put-role-policy --role-name both "), "{command}");
}

#[test]
fn a_role_whose_path_is_not_known_is_named_by_its_account_and_a_condition() {
    let cloud = encrypted();
    let config = cloud.home().join("aws-config");
    let role = "role_arn = arn:aws:iam::111222333444:role/service-role/both\nsource_profile = target\n";
    let text = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(&config, format!("{text}[profile build]\nregion = eu-central-1\n{role}"))
        .expect("the configuration");
    let run = theirs(&cloud, ["--target-profile", "build"]);
    let policies = of(&run, "bucket");
    assert_eq!(policies.len(), 1, "{:#}", document(&run));
    let statement = &policies[0]["policy"]["Statement"][0];
    assert_eq!(statement["Principal"], json!({ "AWS": "arn:aws:iam::111222333444:root" }));
    let patterns = ["arn:aws:iam::111222333444:role/both", "arn:aws:iam::111222333444:role/*/both"];
    assert_eq!(statement["Condition"], json!({ "ArnLike": { "aws:PrincipalArn": patterns } }));
}

#[test]
fn each_policy_says_whether_it_is_complete_of_its_own_or_statements_to_add() {
    let cloud = encrypted();
    let denied = "User: arn:aws:iam::111222333444:user/both is not authorized to perform: kms:Sign on resource: \
        arn:aws:kms:eu-central-1:111222333444:key/11112222-3333-4444-5555-666677778888 because no resource-based \
        policy allows the kms:Sign action";
    cloud.fail(Moment::every("Sign"), Failure::Status(400, "AccessDeniedException", denied));
    cloud.deny(Principal::Both, "s3:ListBucket", MODELS);
    let run = doctor(&cloud, &[]);
    let own = &of(&run, "principal")[0];
    assert_eq!((&own["form"], &own["merged"]), (&json!("separate"), &json!(false)), "{own:#}");
    let bucket = &of(&run, "bucket")[0];
    assert_eq!((&bucket["form"], &bucket["merged"]), (&json!("complete"), &json!(false)), "there is none: {bucket:#}");
    let key = &of(&run, "key")[0];
    assert_eq!((&key["form"], &key["merged"]), (&json!("complete"), &json!(true)), "{key:#}");
    assert_eq!((&key["policy"]["Id"], &key["policy"]["Statement"][0]["Sid"]), (&json!("theirs"), &json!("Theirs")));
    assert_eq!(key["policy"]["Statement"][1]["Action"], json!(["kms:Sign"]));
    let command = key["command"].as_str().unwrap_or_default();
    assert!(command.starts_with("aws kms put-key-policy --region eu-central-1 --key-id arn:aws:kms:"), "{command}");

    cloud.deny(Principal::Both, "kms:GetKeyPolicy", SIGN_KEY);
    let key = of(&doctor(&cloud, &[]), "key").remove(0);
    assert_eq!((&key["form"], key.get("command")), (&json!("statements"), None), "{key:#}");
    assert_eq!(key["policy"]["Statement"].as_array().map(Vec::len), Some(1));
    let command = key["read_command"].as_str().unwrap_or_default();
    assert!(command.starts_with("aws kms get-key-policy --region eu-central-1 --key-id arn:aws:kms:"), "{command}");
}

#[test]
fn the_text_says_of_a_trust_policy_how_to_add_the_statement() {
    let cloud = encrypted();
    let group = Cloud::group_arn(GROUP);
    let role = "arn:aws:iam::444333666777:role/forbidden";
    let flags = ["doctor", "--group", &group, "--target-bucket", SERVING, "--source-role-arn", role];
    let run = run(&cloud, Principal::Both, &flags);
    let trust = format!("trust policy of {role} (statements to add to the present policy, which could not be read)");
    for says in [&trust, "Do not replace it:", "aws iam get-role --role-name forbidden --query"] {
        assert!(run.told().contains(says), "no '{says}' in {}", run.stdout);
    }
    assert!(!run.stdout.contains("update-assume-role-policy"), "{}", run.stdout);
}
