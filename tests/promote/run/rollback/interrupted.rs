//! A rollback that is interrupted tells what it has done.

use std::process::{Command, Stdio};

use super::*;

#[test]
fn a_rollback_that_is_interrupted_tells_that_the_group_is_held_and_what_it_has_rejected() {
    let cloud = three();
    let second = format!("{TARGET_VERSION}2");
    cloud.fail(Moment::every("UpdateModelPackage").at(&second), Failure::Hang);
    let updates = Arrival::of(&cloud, Moment::on("UpdateModelPackage", 1).at(&second));
    let flags = ["--reason", "Latency alarm", "--settle-seconds", "0", "--to", "1"];
    let mut command = cloud.process(Principal::Both);
    command.args(rollback_as("rollback", &flags)).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the binary starts");
    updates.wait();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    let run = ended(child);
    let group = format!("arn:aws:sagemaker:eu-central-1:{TARGET_ACCOUNT}:model-package-group/{GROUP}");
    run.fails(130, &[&format!("interrupted; {group} is held; {TARGET_VERSION}3 was rejected. Run again")]);
    let document: Value = serde_json::from_str(&run.stdout).expect("a document");
    assert_eq!(document["done"]["held"], group);
    assert_eq!(document["done"]["rejected"], json!([format!("{TARGET_VERSION}3")]));
}
