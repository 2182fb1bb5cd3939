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
fn a_rollback_says_where_else_runs_look_for_holds() {
    let cloud = with_package();
    promote(&cloud, &["--target-prefix", "other/"]).document();
    for _ in 0..2 {
        cloud.register(model("s3://models/churn/model.tar.gz"));
        promote(&cloud, &[]).document();
    }
    let run = rollback(&cloud, &[]);
    let warnings = run.document()["warnings"].to_string();
    assert!(warnings.contains("s3://serving/other/churn-model/") && warnings.contains("promote hold"), "{warnings}");
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
