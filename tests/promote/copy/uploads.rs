//! Uploads that an earlier run has left open.

use super::*;
use crate::stand_in::client::Client;
use crate::support::{Attributes, Body, Failure, Moment};

/// Opens an upload at a key of the target bucket, as a run that was killed would leave it.
fn leave_open(cloud: &Cloud, key: &str) {
    let mut client = Client::new(cloud, Principal::Target);
    let created = client.ask("POST", &format!("/{SERVING}/{key}?uploads"), &[], b"").expect("an answer");
    assert_eq!(created.status, 200);
}

fn open_keys(cloud: &Cloud) -> Vec<String> {
    cloud.uploads(SERVING).into_iter().map(|upload| upload.key).collect()
}

#[test]
fn uploads_of_an_earlier_run_are_aborted_and_those_outside_the_folder_are_not() {
    let cloud = with(Body::synthetic(20 << 20, 1), Attributes::default());
    let foreign = ["churn-model/444333666777-eu-central-1-churn-model-v10/models/m.tar.gz", "other/m.tar.gz"];
    let own = [copy_key(), format!("{FOLDER}models/no-longer-referred-to")];
    own.iter().map(String::as_str).chain(foreign).for_each(|key| leave_open(&cloud, key));
    assert_eq!(cloud.uploads(SERVING).len(), 4);
    let document = promote(&cloud, &["--copy-mode", "stream"]).document();
    assert_eq!(document["outcome"], "promoted");
    let mut left = open_keys(&cloud);
    left.sort();
    assert_eq!(left, foreign);
    assert!(copy(&cloud).body == Body::synthetic(20 << 20, 1));
}

#[test]
fn a_large_server_side_copy_clears_up_too() {
    let cloud = with(Body::synthetic(6 << 30, 1), Attributes::default());
    leave_open(&cloud, &copy_key());
    promote(&cloud, &[]).document();
    assert_eq!(open_keys(&cloud), Vec::<String>::new());
}

#[test]
fn a_dry_run_touches_no_upload() {
    let cloud = with(Body::synthetic(20 << 20, 1), Attributes::default());
    leave_open(&cloud, &copy_key());
    let document = promote(&cloud, &["--copy-mode", "stream", "--dry-run"]).document();
    assert_eq!(document["outcome"], "planned");
    assert_eq!(open_keys(&cloud), [copy_key()]);
    assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0));
}

#[test]
fn an_upload_that_is_left_open_by_a_streaming_run_is_aborted_by_a_server_side_run() {
    let cloud = with(Body::synthetic(20 << 20, 1), Attributes::default());
    leave_open(&cloud, &copy_key());
    promote(&cloud, &["--copy-mode", "server-side"]).document();
    assert_eq!(open_keys(&cloud), Vec::<String>::new());
}

#[test]
fn an_upload_whose_id_was_lost_with_the_answer_is_looked_for_and_aborted() {
    for (lost, begun, listings) in [(false, 1, 1), (true, 2, 2)] {
        let cloud = with(Body::synthetic(20 << 20, 1), Attributes::default());
        if lost {
            cloud.fail(Moment::on("CreateMultipartUpload", 1), Failure::ResetAfter);
        }
        let mut command = cloud.promote(Principal::Both);
        command.args(full()).args(["--copy-mode", "stream"]).env("AWS_MAX_ATTEMPTS", "2").assert().success();
        assert_eq!(cloud.calls_of("CreateMultipartUpload").len(), begun);
        assert_eq!(cloud.calls_of("ListMultipartUploads").len(), listings);
        assert_eq!(open_keys(&cloud), Vec::<String>::new());
    }
}
