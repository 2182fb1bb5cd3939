//! Holds whose documents are not what they should be, holds in other places, and two rollbacks at once.

use super::*;

/// The key of a hold.
fn hold_key(number: u32) -> String {
    format!("churn-model/_hold-{number}-held/hold.json")
}

#[test]
fn a_hold_whose_document_is_a_copy_of_an_earlier_one_can_be_released() {
    let cloud = three();
    hold(&cloud).document();
    release(&cloud).document();
    let first = cloud.object(SERVING, &hold_key(1)).expect("the first hold").body.bytes();
    let text = String::from_utf8(first.to_vec())
        .expect("JSON")
        .replace("model-package-group/Churn-Model", "model-package-group/other");
    cloud.put(SERVING, &hold_key(2), text.as_str());
    let held = promote(&cloud, &[]).document();
    assert_eq!((&held["outcome"], &held["hold"]["number"]), (&json!("held"), &json!(2)), "{held:#}");
    let group = format!("arn:aws:sagemaker:eu-central-1:{TARGET_ACCOUNT}:model-package-group/{GROUP}");
    assert_eq!(held["hold"]["target_model_package_group_arn"], group);
    let released = release(&cloud).document();
    assert_eq!((&released["outcome"], &released["release"]["number"]), (&json!("released"), &json!(2)));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
}

#[test]
fn a_hold_of_any_content_is_a_hold_that_can_be_released() {
    let documents = [
        "",
        "[]",
        "null",
        "{}",
        "\u{feff}{}",
        r#"{"schema":1}"#,
        &"x".repeat(70 << 10),
        &format!("{}1", "[".repeat(9000)),
    ];
    for text in documents {
        let cloud = three();
        cloud.register(model("s3://models/churn/model.tar.gz"));
        cloud.put(SERVING, &hold_key(1), text);
        let said = text.get(..20).unwrap_or(text).to_owned();
        let held = promote(&cloud, &[]);
        assert_eq!(held.code, 0, "{said}: {}", held.stderr);
        assert_eq!(held.document()["outcome"], "held", "{said}");
        assert_eq!(release(&cloud).document()["outcome"], "released", "{said}");
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted", "{said}");
    }
}

#[test]
fn a_rollback_whose_version_is_rejected_meanwhile_is_incomplete() {
    let cloud = three();
    cloud.hook(Moment::on("UpdateModelPackage", 1), |cloud| {
        cloud.change(&format!("{TARGET_VERSION}2"), json!({"ModelApprovalStatus": "Rejected"}));
    });
    let run = rollback(&cloud, &[]);
    run.fails(1, &["/2 is Rejected now", "during the rollback", "--to"]);
    let document: Value = serde_json::from_str(&run.stdout).expect("a document");
    assert_eq!(document["outcome"], "incomplete");
}

#[test]
fn of_two_rollbacks_at_once_at_most_one_says_that_its_version_is_served() {
    // What happens after the last look at the versions, no rollback can tell.
    let count = {
        let cloud = three();
        let before = cloud.calls().len();
        rollback(&cloud, &[]).document();
        let calls = cloud.calls().split_off(before);
        calls.iter().rposition(|call| call.operation == "ListModelPackages").expect("a look at the versions") + 1
    };
    assert!(count > 10, "{count} calls");
    let cases: Vec<usize> = (1..=count).collect();
    crate::run::faults::each(AT_ONCE, &cases, |k| {
        let cloud = three();
        let (sent, other) = std::sync::mpsc::channel();
        cloud.hook(Moment::nth(*k), move |cloud| {
            let flags = ["--reason", "Bias", "--settle-seconds", "0", "--to", "1"];
            let code = run(cloud, Principal::Both, &rollback_as("rollback", &flags)).code;
            sent.send(code).expect("the test waits for it");
        });
        let run = rollback(&cloud, &[]);
        let other = other.recv().ok();
        let served = |version: usize| statuses(&cloud)[version - 1] == "Approved";
        anyhow::ensure!(other != Some(0) || served(1), "the other one says 1 is served: {:?}", statuses(&cloud));
        let document: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        let to = document["to"].as_str().and_then(|arn| arn.rsplit('/').next()?.parse::<usize>().ok()).unwrap_or(1);
        anyhow::ensure!(run.code != 0 || served(to), "it says {to} is served: {:?} {}", statuses(&cloud), run.stdout);
        Ok(())
    });
}

/// Promotes to this bucket and prefix.
fn promote_to(cloud: &Cloud, bucket: &str, prefix: &str) {
    let group = Cloud::group_arn(GROUP);
    let flags = ["full", "--group", &group, "--target-bucket", bucket, "--target-prefix", prefix, "--output", "json"];
    run(cloud, Principal::Both, &flags).document();
}

/// Versions 1 and 2, promoted to this bucket and prefix, and version 3, promoted to the prefix of today.
pub(in crate::run) fn moved(cloud: Cloud, (bucket, prefix): (&str, &str)) -> Cloud {
    promote_to(&cloud, bucket, prefix);
    cloud.register(model("s3://models/churn/model.tar.gz"));
    promote_to(&cloud, bucket, prefix);
    cloud.register(model("s3://models/churn/model.tar.gz"));
    promote(&cloud, &[]).document();
    cloud
}

#[test]
fn a_version_that_was_promoted_to_another_prefix_or_bucket_is_verified_there() {
    for then in [(SERVING, "other/"), ("archive", "/")] {
        let cloud = with_package();
        cloud.create_bucket("archive", TARGET_ACCOUNT);
        let cloud = moved(cloud, then);
        for more in [&[][..], &["--target-bucket", SERVING], &["--to", "2"]] {
            let document = rollback(&cloud, &[more, &["--dry-run"]].concat()).document();
            assert_eq!(document["to"], format!("{TARGET_VERSION}2"), "{then:?} {more:?}: {document:#}");
        }
        let document = rollback(&cloud, &[]).document();
        assert_eq!(document["outcome"], "rolled-back", "{document:#}");
        assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected"]);
    }
}

#[test]
fn a_version_elsewhere_whose_artifacts_differ_is_passed_over_and_named() {
    let cloud = moved(with_package(), (SERVING, "other/"));
    let second = format!("other/{}", FOLDER.replace("-v1/", "-v2/"));
    cloud.put(SERVING, &format!("{second}models/churn/model.tar.gz"), "others");
    let document = rollback(&cloud, &[]).document();
    assert_eq!(document["to"], format!("{TARGET_VERSION}1"), "{document:#}");
    assert!(document["warnings"].to_string().contains("/2 cannot be served"), "{document:#}");
}

#[test]
fn a_version_that_is_rolled_back_elsewhere_has_its_record_there() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    promote(&cloud, &["--target-prefix", "other/"]).document();
    let folder = format!("other/{}promotion", FOLDER.replace("-v1/", "-v2/"));
    let records = || cloud.keys(SERVING).into_iter().filter(|key| key.starts_with(&folder)).count();
    let before = records();
    let flags = ["--target-bucket", SERVING, "--target-prefix", "/", "--to", "1"];
    let document = rollback(&cloud, &flags).document();
    assert_eq!((&document["outcome"], document.get("unconfirmed")), (&json!("rolled-back"), None), "{document:#}");
    assert_eq!(records(), before + 1);
    let verified = run(&cloud, Principal::Both, &["verify", "--model-package", &format!("{TARGET_VERSION}2")]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
}
