//! `promote stack source-grants`: the policies, who they let in, and the commands and scripts that apply them.

use std::collections::BTreeSet;
use std::fs;

use super::*;

const BUS: [&str; 2] = ["--event-bus-name", "mlops-bus"];
const STACK: [&str; 2] = ["--stack-name", "promote-churn"];
const BUCKETS: [&str; 2] = ["--source-bucket-names", "models,metrics"];
const OTHER_GROUP: [&str; 2] =
    ["--source-model-package-group-arn", "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/fraud"];
const READER: [&str; 2] = ["--source-role-arn", "arn:aws:iam::444333666777:role/ml/reader"];
const BUILDER: [&str; 2] = ["--build-role-arn", "arn:aws:iam::111222333444:role/mlops-BuildRole-1"];

fn grants(more: &[&[&str]]) -> Run {
    let run = stack(&with("source-grants", &more.concat()), &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run
}

/// The steps as JSON.
fn steps(more: &[&[&str]]) -> Vec<Value> {
    let run = grants(&[more, &[&["--output", "json"]]].concat());
    run.document()["steps"].as_array().expect("steps").clone()
}

/// The statements of all policies.
fn statements(steps: &[Value]) -> Vec<Value> {
    steps.iter().flat_map(|step| step["policy"]["Statement"].as_array().into_iter().flatten().cloned()).collect()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("{member} of {value:#}"))
}

#[test]
fn source_grants_names_every_grant_in_order_with_its_account() {
    let key = ["--source-kms-key-arn", "arn:aws:kms:eu-central-1:444333666777:key/1234"];
    let run = grants(&[&STACK, &BUS, &BUCKETS, &key]);
    assert_snapshot("stack-source-grants", &run.stdout);
}

#[test]
fn with_a_role_of_the_source_that_role_is_granted_the_reading() {
    assert_snapshot("stack-source-grants-role", &grants(&[&READER, &BUILDER, &BUCKETS]).stdout);
}

#[test]
fn every_policy_is_without_a_wildcard_in_its_actions_and_without_a_placeholder() {
    for more in [&[&BUS[..], &STACK][..], &[&BUS, &READER, &BUILDER, &BUCKETS]] {
        let steps = steps(more);
        assert!(steps.len() >= 7, "{steps:#?}");
        for statement in statements(&steps) {
            assert!(!statement["Action"].to_string().contains('*'), "{statement:#}");
            assert!(text(&statement, "Sid").chars().all(|c| c.is_ascii_alphanumeric()), "{statement:#}");
        }
        let all = serde_json::to_string(&steps).expect("JSON");
        assert!(!all.contains('<') || all.matches('<').count() == all.matches("<<<").count() * 3, "{all}");
    }
}

#[test]
fn a_second_group_has_names_and_sids_of_its_own() {
    let one = steps(&[&STACK, &BUS, &BUCKETS]);
    let other = {
        let mut arguments = with("source-grants", &[&["--stack-name", "promote-fraud"], &BUS[..], &BUCKETS].concat());
        arguments[2] = OTHER_GROUP[1];
        arguments.extend(["--output", "json"]);
        stack(&arguments, &[]).document()["steps"].as_array().expect("steps").clone()
    };
    let sids = |steps: &[Value], prefix: &str| -> BTreeSet<String> {
        let sids = statements(steps).iter().map(|one| text(one, "Sid").to_owned()).collect::<Vec<_>>();
        sids.into_iter().filter(|sid| sid.starts_with(prefix)).collect()
    };
    assert!(!sids(&one, "PromoteChurnModel").is_empty() && !sids(&other, "PromoteFraud").is_empty());
    // What both have is the same statement: the events of the source account.
    let shared: Vec<String> = sids(&one, "Promote").intersection(&sids(&other, "Promote")).cloned().collect();
    assert_eq!(shared, ["PromoteEventsOf444333666777"]);
    let commands = |steps: &[Value]| serde_json::to_string(steps).expect("JSON");
    for named in ["--name promote-Churn-Model-", "--role-name promote-Churn-Model-", "--rule promote-Churn-Model-"] {
        assert!(commands(&one).contains(named) && !commands(&other).contains(named), "{named}");
    }
}

#[test]
fn groups_whose_names_differ_by_a_hyphen_or_whose_target_differs_have_different_sids() {
    let sids = |group: &str, account: &str| {
        let mut arguments = with("source-grants", &["--output", "json"]);
        let arn = format!("arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/{group}");
        (arguments[2], arguments[6]) = (&arn, account);
        let steps = stack(&arguments, &[]).document()["steps"].as_array().expect("steps").clone();
        text(&statements(&steps)[0], "Sid").to_owned()
    };
    let all = [sids("a-1", "111222333444"), sids("a1", "111222333444"), sids("a-1", "555666777888")];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3, "{all:?}");
}

#[test]
fn several_groups_are_granted_at_once_each_to_its_own_stack() {
    let steps = steps(&[&OTHER_GROUP, &["--stack-name", "promote-churn,promote-fraud"], &BUS, &BUCKETS]);
    let bucket: Vec<&Value> = steps.iter().filter(|step| text(step, "title") == "bucket models").collect();
    let [bucket] = bucket[..] else { panic!("one step for the bucket: {steps:#?}") };
    let allowed: Vec<String> = statements(std::slice::from_ref(bucket))
        .iter()
        .map(|one| one["Condition"]["ArnLike"]["aws:PrincipalArn"].as_str().expect("a role").to_owned())
        .collect();
    let role = |stack: &str| format!("arn:aws:iam::111222333444:role/{stack}-BuildRole-*");
    let (churn, fraud) = (role("promote-churn"), role("promote-fraud"));
    assert_eq!(allowed, [churn.clone(), churn, fraud.clone(), fraud]);
    let rules = steps.iter().filter(|step| text(step, "title").starts_with("rule that forwards"));
    assert_eq!(rules.count(), 2);
    stack(&with("source-grants", &[&OTHER_GROUP[..], &["--stack-name", "a,b,c"]].concat()), &[])
        .fails(2, &["--stack-name", "3 values for 2 groups"]);
    let elsewhere = "arn:aws:sagemaker:eu-west-1:444333666777:model-package-group/x";
    stack(&with("source-grants", &["--source-model-package-group-arn", elsewhere]), &[])
        .fails(2, &["--source-model-package-group-arn", "another account or region"]);
}

/// The steps for image repositories.
fn of_repositories(more: &[&[&str]]) -> Vec<Value> {
    steps(more).into_iter().filter(|step| step["commands"].to_string().contains("set-repository-policy")).collect()
}

#[test]
fn each_named_repository_has_a_step_that_lets_the_builds_of_all_groups_read_its_images() {
    let stacks = ["--stack-name", "promote-churn,promote-fraud"];
    let steps = of_repositories(&[&OTHER_GROUP, &stacks, &["--image-repository-names", "serve,team/llm"]]);
    let of = |member: &str| steps.iter().map(|step| text(step, member).to_owned()).collect::<Vec<_>>();
    assert_eq!(of("title"), ["image repository serve", "image repository team/llm"]);
    assert_eq!(of("file"), ["repository-serve.json", "repository-team+llm.json"]);
    for (step, name) in steps.iter().zip(["serve", "team/llm"]) {
        assert_eq!((text(step, "account"), text(step, "side")), ("444333666777", "source"));
        assert!(
            step["for_each"].is_null() && step["commands"].to_string().contains(&format!("-name {name} ")),
            "{name}"
        );
        let roles: Vec<&str> = step["policy"]["Statement"]
            .as_array()
            .expect("statements")
            .iter()
            .map(|one| one["Condition"]["ArnLike"]["aws:PrincipalArn"].as_str().expect("a role"))
            .collect();
        let role = |stack: &str| format!("arn:aws:iam::111222333444:role/{stack}-BuildRole-*");
        assert_eq!(roles, [role("promote-churn"), role("promote-fraud")]);
    }
}

#[test]
fn repositories_that_a_pattern_names_are_passed_to_the_script() {
    let titles = |names: &str| {
        let steps = of_repositories(&[&["--image-repository-names", names]]);
        steps.iter().map(|step| (text(step, "title").to_owned(), step["for_each"].clone())).collect::<Vec<_>>()
    };
    let each = ("image repositories".to_owned(), Value::from("REPOSITORIES"));
    assert_eq!(titles("serve,team/*"), [("image repository serve".to_owned(), Value::Null), each]);
}

#[test]
fn a_role_of_the_source_reads_images_itself_and_kept_images_are_pulled_by_the_account() {
    let names = ["--image-repository-names", "serve"];
    assert_eq!(of_repositories(&[&READER, &names]), Vec::<Value>::new());
    let reads = |more: &[&[&str]]| {
        let statements = statements(&steps(more)).into_iter();
        statements
            .filter(|one| text(one, "Sid") == "ReadTheImages")
            .map(|one| one["Resource"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(reads(&[&READER, &names]), [Value::from(vec!["arn:aws:ecr:*:*:repository/serve"])]);
    assert_eq!(reads(&[&READER]), [Value::from(vec!["arn:aws:ecr:*:444333666777:repository/*"])]);
    let keep = ["--images", "keep"];
    assert_eq!(reads(&[&READER, &keep]), Vec::<Value>::new());
    for more in [&[&keep[..], &names][..], &[&keep, &names, &READER, &BUILDER]] {
        let steps = of_repositories(more);
        let [step] = &steps[..] else { panic!("{steps:#?}") };
        let statement = &step["policy"]["Statement"][0];
        assert_eq!(statement["Principal"]["AWS"], "arn:aws:iam::111222333444:root", "SageMaker's roles pull it");
    }
}

#[test]
fn the_groups_of_a_pattern_are_shared_or_read_by_a_role_and_their_events_are_forwarded() {
    let of = |group: &str, more: &[&str]| {
        let more = [&BUS[..], &STACK, &["--output", "json"], more].concat();
        stack(&with_group("source-grants", group, &more), &[]).document()
    };
    let titled = |grants: &Value, title: &str| {
        let steps = grants["steps"].as_array().expect("steps").iter();
        steps.filter(|step| text(step, "title").starts_with(title)).cloned().collect::<Vec<_>>()
    };
    let shared = of(PATTERN, &[]);
    assert_eq!(titled(&shared, "model package group"), Vec::<Value>::new(), "RAM writes the policies of the groups");
    let [share] = &titled(&shared, "resource share of the groups team-*")[..] else { panic!("{shared:#}") };
    assert_eq!(share["policy"]["principals"], serde_json::json!(["111222333444"]));
    assert!(shared["remarks"].to_string().contains("With `--source-role-arn`"), "{shared:#}");
    let read = of(PATTERN, &READER);
    assert_eq!(titled(&read, "resource share"), Vec::<Value>::new());
    let pattern = |group: &str| {
        titled(&of(group, &[]), "rule that forwards")[0]["policy"]["detail"]["ModelPackageGroupName"].clone()
    };
    assert_eq!(pattern(PATTERN), serde_json::json!([{"wildcard": "team-*"}]));
    assert_eq!(
        pattern(&PATTERN.replace("team", "Team")),
        serde_json::json!([{"wildcard": "Team-*"}, {"wildcard": "team-*"}])
    );
    assert_eq!(pattern(GROUP), serde_json::json!([{"equals-ignore-case": "Churn-Model"}]));
    let steps = read["steps"].to_string() + &shared["steps"].to_string();
    assert!(!steps.contains("promote-team-*"), "names of resources have no asterisk: {steps}");
}

#[test]
fn who_gets_in_is_said() {
    let remarks = |more: &[&[&str]]| {
        let run = grants(&[more, &[&["--output", "json"]]].concat());
        run.document()["remarks"].to_string()
    };
    assert!(remarks(&[]).contains("every principal of account 111222333444"));
    assert!(remarks(&[&STACK]).contains("matches promote-churn-BuildRole-*"));
    assert!(remarks(&[&["--stack-name", "a-stack-with-a-very-long-name"]]).contains("matches a-stack-with-a-very-*"));
    assert!(!remarks(&[&BUILDER]).contains("can be read by"));
    assert!(grants(&[&[]]).stdout.contains("- Churn-Model can be read by every principal"));
}

#[test]
fn a_key_in_another_region_is_used_and_changed_in_that_region() {
    let key = ["--source-kms-key-arn", "arn:aws:kms:us-east-1:444333666777:key/1234"];
    let steps = steps(&[&key]);
    let step = steps.iter().find(|step| text(step, "file") == "key.json").expect("the key's step");
    assert!(text(&step["current"], "command").contains("--region us-east-1"), "{step:#}");
    let services = step["policy"]["Statement"][0]["Condition"]["StringEquals"]["kms:ViaService"].to_string();
    assert!(services.contains("s3.us-east-1.amazonaws.com") && !services.contains("eu-central-1"), "{services}");
}

#[test]
fn commands_that_would_replace_a_policy_read_it_first() {
    for step in steps(&[&STACK, &BUS, &BUCKETS]) {
        let replaces = ["group-policy", "bucket-policy", "key-policy", "repository-policy", "put-permission"];
        let commands = step["commands"].to_string();
        let merged = replaces.iter().any(|command| commands.contains(command));
        assert_eq!(step["current"].is_object(), merged, "{step:#}");
        assert_eq!(commands.contains("file://merged/"), merged, "{step:#}");
    }
}

#[test]
fn the_folder_has_a_file_for_each_policy_and_a_script_for_each_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("grants");
    let output = ["--output-dir", output.to_str().expect("a path")];
    let run = stack(&with("source-grants", &[&STACK[..], &BUS, &BUCKETS, &output].concat()), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let scripts = ["apply-target-111222333444.sh", "apply-source-444333666777.sh"];
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines.len() == 2 && lines.iter().zip(scripts).all(|(line, name)| line.ends_with(name)), "{lines:?}");
    assert!(run.stderr.contains("note: Churn-Model can be read by"), "{}", run.stderr);
    let mut policies: BTreeSet<String> = steps(&[&STACK, &BUS, &BUCKETS])
        .iter()
        .map(|step| {
            let name = text(step, "file").to_owned();
            let written = fs::read_to_string(folder.path().join("grants").join(&name)).expect("a policy");
            assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), step["policy"], "{name}");
            name
        })
        .collect();
    policies.extend(scripts.map(str::to_owned));
    policies.insert("grants-for.txt".to_owned());
    let written = fs::read_dir(folder.path().join("grants")).expect("a folder");
    let written: BTreeSet<String> =
        written.map(|entry| entry.expect("a file").file_name().into_string().expect("a name")).collect();
    assert_eq!(written, policies);
}
