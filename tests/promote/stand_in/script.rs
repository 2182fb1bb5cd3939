//! Scripted trouble, held calls, hooks and the record of calls.

use std::sync::mpsc;
use std::time::Duration;

use super::client::Client;
use super::filled;
use crate::support::calls::{Service, Traffic};
use crate::support::{Cloud, Failure, Moment, Principal};

fn read(cloud: &Cloud) -> Option<String> {
    Client::new(cloud, Principal::Source).ask("GET", "/src/a", &[], b"").map(|answer| answer.text())
}

#[test]
fn the_nth_call_of_any_kind_fails_and_the_others_do_not() {
    let cloud = filled();
    cloud.fail(Moment::nth(2), Failure::Status(503, "SlowDown", "Please reduce your request rate."));
    cloud.fail(Moment::nth(3), Failure::Reset);
    assert_eq!(read(&cloud).as_deref(), Some("content of a"));
    assert!(read(&cloud).is_some_and(|text| text.contains("<Code>SlowDown</Code>")));
    assert_eq!(read(&cloud), None);
    assert_eq!(read(&cloud).as_deref(), Some("content of a"));
    let statuses: Vec<u16> = cloud.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [200, 503, 0, 200]);
    cloud.fail(Moment::from(2), Failure::Reset);
    assert_eq!([read(&cloud), read(&cloud), read(&cloud)].map(|answer| answer.is_some()), [true, false, false]);
    cloud.heal();
    assert!(read(&cloud).is_some());
}

#[test]
fn calls_are_picked_by_operation_resource_and_number() {
    let cloud = filled();
    cloud.fail(Moment::every("CopyObject").at("dst/x"), Failure::InBody("InternalError", "An internal error."));
    cloud.fail(Moment::on("DeleteObject", 1).times(2), Failure::Status(500, "InternalError", "x"));
    let mut both = Client::new(&cloud, Principal::Both);
    let source = [("x-amz-copy-source", "src/a")];
    let late = both.ask("PUT", "/dst/x", &source, b"").expect("an answer");
    assert_eq!((late.status, late.text().contains("<Error>")), (200, true));
    assert!(cloud.keys("dst").is_empty());
    assert_eq!(both.ask("PUT", "/dst/y", &source, b"").expect("an answer").status, 200);
    let statuses = [(); 3].map(|()| both.ask("DELETE", "/dst/y", &[], b"").expect("an answer").status);
    assert_eq!(statuses, [500, 500, 204]);
    assert_eq!(cloud.calls_of("CopyObject").len(), 2);
    assert!(cloud.calls().iter().all(|call| call.service == Service::S3));
}

#[test]
fn an_answer_can_be_lost_after_the_work_or_in_the_middle() {
    let cloud = filled();
    cloud.fail(Moment::on("PutObject", 1), Failure::ResetAfter);
    cloud.fail(Moment::on("GetObject", 1), Failure::Truncate);
    assert!(Client::new(&cloud, Principal::Source).ask("PUT", "/src/b", &[], b"new").is_none());
    assert_eq!(cloud.object("src", "b").map(|object| object.body.bytes()), Some("new".into()));
    assert_eq!(read(&cloud), None);
    let sent: Vec<(u16, u64)> = cloud.calls().iter().map(|call| (call.status, call.bytes_out)).collect();
    assert_eq!(sent, [(0, 0), (200, 6)]);
    assert_eq!(cloud.traffic(|call| call.resource == "src/b"), Traffic { read: 0, written: 3 });
    assert_eq!(cloud.traffic(|_| true), Traffic { read: 6, written: 3 });
}

#[test]
fn a_held_call_goes_on_when_released_and_a_hook_sees_the_cloud() {
    let cloud = filled();
    cloud.fail(Moment::on("GetObject", 1), Failure::Hang);
    cloud.fail(Moment::on("GetObject", 2), Failure::HangAfter);
    let (tell, told) = mpsc::channel();
    cloud.hook(Moment::on("GetObject", 1), move |cloud| {
        cloud.put("src", "a", "changed");
        tell.send(()).expect("the test waits for it");
    });
    let mut client = Client::new(&cloud, Principal::Source);
    let waiting = std::thread::spawn(move || [client.get("/src/a").text(), client.get("/src/a").text()]);
    told.recv_timeout(Duration::from_secs(10)).expect("the hook runs");
    // Another call passes the one that is held.
    assert_eq!(Client::new(&cloud, Principal::Source).ask("HEAD", "/src/a", &[], b"").map(|one| one.status), Some(200));
    assert!(!waiting.is_finished());
    cloud.release();
    assert_eq!(waiting.join().expect("both are answered"), ["changed", "changed"]);
}

#[test]
fn the_binary_starts_with_the_credentials_of_the_test_and_nothing_else() {
    let cloud = filled();
    let command = cloud.process(Principal::Target);
    let names: Vec<String> = command.get_envs().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    assert!(
        names.iter().all(|name| name.starts_with("AWS_") || ["HOME", "PATH", "SSL_CERT_FILE"].contains(&name.as_str())),
        "{names:?}"
    );
    let profiles = std::fs::read_to_string(cloud.home().join("aws-config")).expect("the AWS configuration");
    assert!(profiles.contains("[profile source]") && profiles.contains("[profile target]"));
}
