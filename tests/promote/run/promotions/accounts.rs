//! A promotions file with targets in two accounts and two regions, each with a role.

use std::collections::BTreeSet;

use super::*;
use crate::support::calls::{Call, Service};

const STAGING_ACCOUNT: &str = "222333444555";

const FILE: &str = "
defaults:
  source:
    group: arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/team-*
    role_arn: arn:aws:iam::444333666777:role/promote-read
    external_id: read-teams
    region: eu-central-1
promotions:
  teams:
    targets:
      staging:
        role_arn: arn:aws:iam::222333444555:role/promote-write
        external_id: write-staging
        region: eu-west-1
        bucket: staging
        approval: pending
      production:
        role_arn: arn:aws:iam::111222333444:role/promote-write
        region: eu-central-1
        bucket: serving
";

fn two_accounts() -> Cloud {
    let cloud = with_groups(&["team-a", "team-b"]);
    cloud.create_bucket_in("staging", STAGING_ACCOUNT, "eu-west-1");
    cloud
}

fn apply_as_user(cloud: &Cloud) -> Value {
    let file = cloud.home().join("promotions.yaml");
    std::fs::write(&file, FILE).expect("the file is written");
    let file = file.display().to_string();
    run(cloud, Principal::Target, &["apply", "--file", &file, "--output", "json"]).document()
}

/// The account of the role that has made a call; nothing for the user that runs the binary.
fn account_of_role(call: &Call) -> Option<&str> {
    let who = call.who.as_ref()?;
    who.session.as_ref().map(|_| who.account.as_str())
}

/// The region that a call is signed for.
fn region(call: &Call) -> &str {
    let scope = call.headers["authorization"].split_once("Credential=").expect("a signature").1;
    scope.split('/').nth(2).expect("a region")
}

#[test]
fn each_target_is_promoted_into_with_its_role_in_its_account_and_region() {
    let cloud = two_accounts();
    let document = apply_as_user(&cloud);
    assert_eq!(document["summary"]["outcomes"], json!({"promoted": 4}), "{document:#}");
    for (target, account, region, approval) in [
        ("teams/staging", STAGING_ACCOUNT, "eu-west-1", PENDING),
        ("teams/production", TARGET_ACCOUNT, "eu-central-1", "Approved"),
    ] {
        for group in ["team-a", "team-b"] {
            let facts = &of(&document, target, group)["document"];
            let arn = format!("arn:aws:sagemaker:{region}:{account}:model-package/{group}/1");
            assert_eq!(facts["target"]["model_package_arn"], json!(arn));
            let version = cloud.package(&arn).expect("a version");
            assert_eq!(version["ModelApprovalStatus"], json!(approval));
            let image = version["InferenceSpecification"]["Containers"][0]["Image"].as_str().expect("an image");
            assert!(image.starts_with(&format!("{account}.dkr.ecr.{region}.amazonaws.com/")), "{image}");
            for (side, account, role) in [("source", SOURCE_ACCOUNT, "read"), ("target", account, "write")] {
                let caller = facts[side]["caller"].as_str().expect("a caller");
                assert!(
                    caller.starts_with(&format!("arn:aws:sts::{account}:assumed-role/promote-{role}/")),
                    "{caller}"
                );
            }
        }
    }
    let again = apply_as_user(&cloud);
    assert_eq!(again["summary"]["outcomes"], json!({"already-promoted": 4}), "{again:#}");
}

#[test]
fn the_plan_that_roles_which_read_have_made_is_carried_out_by_roles_which_write() {
    let cloud = two_accounts();
    let (file, plan) = (cloud.home().join("promotions.yaml"), cloud.home().join("plan.json"));
    let (path, plan) = (file.display().to_string(), plan.display().to_string());
    std::fs::write(&file, FILE.replace("role/promote-write", "role/promote-plan")).expect("the file is written");
    let planned = run(&cloud, Principal::Target, &["plan", "--file", &path, "--record", &plan]);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    std::fs::write(&file, FILE).expect("the file is written");
    let document =
        run(&cloud, Principal::Target, &["apply", "--file", &path, "--plan", &plan, "--output", "json"]).document();
    assert_eq!(document["summary"]["outcomes"], json!({"promoted": 4}), "{document:#}");
}

#[test]
fn no_role_of_a_promotions_file_is_used_for_another_target_s_calls() {
    let cloud = two_accounts();
    apply_as_user(&cloud);
    let text = |call: &Call, member: &str| call.request[member].as_str().unwrap_or_default().to_owned();
    let assumed = cloud.calls_of("AssumeRole");
    assert!(assumed.iter().all(|call| call.who.as_ref().is_some_and(|who| who.arn == Principal::Target.arn())));
    let roles = assumed.iter().map(|call| (text(call, "RoleArn"), text(call, "ExternalId"))).collect::<BTreeSet<_>>();
    let role = |account, name, id: &str| (format!("arn:aws:iam::{account}:role/promote-{name}"), id.to_owned());
    let expected = [
        role(SOURCE_ACCOUNT, "read", "read-teams"),
        role(STAGING_ACCOUNT, "write", "write-staging"),
        role(TARGET_ACCOUNT, "write", ""),
    ];
    assert_eq!(roles, BTreeSet::from(expected));
    let writes = writes(&cloud);
    let calls = cloud.calls().into_iter().filter(|call| ![Service::Sts, Service::Layers].contains(&call.service));
    let mut writers = BTreeSet::new();
    for call in calls {
        let account = account_of_role(&call).unwrap_or_else(|| panic!("the user has called {call:#?}")).to_owned();
        let (expected, others) = match account.as_str() {
            STAGING_ACCOUNT => ("eu-west-1", [TARGET_ACCOUNT, "serving"]),
            TARGET_ACCOUNT => ("eu-central-1", [STAGING_ACCOUNT, "staging"]),
            _ => ("eu-central-1", [STAGING_ACCOUNT, "staging"]),
        };
        assert_eq!(region(&call), expected, "{call:#?}");
        let is_of = |place: &str| call.resource.starts_with(place) || call.resource.contains(&format!(":{place}:"));
        assert!(!others.iter().any(|place| is_of(place)), "{call:#?}");
        if call.status < 300 && writes.contains(&format!("{} {}", call.operation, call.resource)) {
            writers.insert(account);
        }
    }
    assert_eq!(writers, BTreeSet::from([STAGING_ACCOUNT.to_owned(), TARGET_ACCOUNT.to_owned()]));
}
