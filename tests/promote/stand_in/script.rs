//! Scripted trouble, held calls, hooks and the record of calls.

use std::sync::mpsc;
use std::time::Duration;

use super::client::Client;
use super::filled;
use crate::support::calls::{Service, Traffic};
use crate::support::{Cloud, Failure, Moment, Principal, Weather};
use crate::world::waits_until;

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
fn a_call_that_has_arrived_is_carried_out_though_its_client_is_gone() {
    let cloud = filled();
    let (leave, left) = mpsc::channel::<()>();
    let arrived = crate::world::Arrival::of(&cloud, Moment::on("PutObject", 1));
    cloud.hook(Moment::on("PutObject", 1), move |_| {
        let _ = left.recv();
    });
    let mut client = Client::new(&cloud, Principal::Source);
    let asking = client.connection();
    let waiting = std::thread::spawn(move || client.ask("PUT", "/src/b", &[], b"new").is_none());
    arrived.wait();
    asking.shutdown(std::net::Shutdown::Both).expect("it is connected");
    assert!(waiting.join().expect("the client ends"));
    assert!(cloud.object("src", "b").is_none());
    drop(leave);
    assert!(cloud.settles());
    assert_eq!(cloud.object("src", "b").map(|object| object.body.bytes()), Some("new".into()));
}

#[test]
fn a_body_can_stall_for_as_long_as_the_client_waits() {
    let cloud = filled();
    cloud.fail(Moment::on("GetObject", 1), Failure::Stall);
    let mut client = Client::new(&cloud, Principal::Source);
    let asking = client.connection();
    let waiting = std::thread::spawn(move || client.ask("GET", "/src/a", &[], b"").is_none());
    waits_until("a part of the body is sent", || cloud.calls().first().is_some_and(|call| call.bytes_out == 6));
    assert!(!waiting.is_finished());
    asking.shutdown(std::net::Shutdown::Both).expect("it is connected");
    assert!(waiting.join().expect("the client ends"));
    assert!(cloud.settles());
}

#[test]
fn a_bucket_can_be_elsewhere_in_each_way_that_s3_says_so() {
    let cloud = filled();
    for (status, code) in [(301, "PermanentRedirect"), (307, "TemporaryRedirect")] {
        cloud.fail(Moment::on("GetObject", 1), Failure::ElsewhereIn(status, code, "us-west-2"));
        let answer = Client::new(&cloud, Principal::Source).get("/src/a");
        assert_eq!((answer.status, answer.element("Code").as_str()), (status, code));
        assert_eq!(answer.headers.get("x-amz-bucket-region").map(String::as_str), Some("us-west-2"));
        cloud.heal();
    }
    let malformed = Failure::ElsewhereIn(400, "AuthorizationHeaderMalformed", "us-west-2");
    cloud.fail(Moment::on("GetObject", 1), malformed);
    let answer = Client::new(&cloud, Principal::Source).get("/src/a");
    assert_eq!((answer.status, answer.element("Region").as_str()), (400, "us-west-2"));
    assert_eq!(answer.headers.get("x-amz-bucket-region"), None);
}

#[test]
fn a_seed_makes_the_same_trouble_whatever_the_order_of_the_calls() {
    let throttled = Failure::Status(503, "SlowDown", "Please reduce your request rate.");
    let fates = |seed: u64, targets: Vec<String>| {
        let cloud = filled();
        cloud.weather(Weather::new(seed).with(throttled, 10).with(Failure::Reset, 10));
        let ask = |target: &String| {
            let answer = Client::new(&cloud, Principal::Source).ask("GET", target, &[], b"");
            (target.clone(), answer.map(|answer| answer.status))
        };
        let mut fates: Vec<_> = targets.iter().map(ask).collect();
        fates.sort();
        fates
    };
    let targets: Vec<String> = (0..200).map(|n| format!("/src/{n}")).collect();
    let backwards: Vec<String> = targets.iter().rev().cloned().collect();
    let one = fates(1, targets.clone());
    assert_eq!(one, fates(1, backwards));
    assert_ne!(one, fates(2, targets));
    let of = |fate| one.iter().filter(|(_, status)| *status == fate).count();
    assert!((8..=35).contains(&of(Some(503))), "{one:?}");
    assert!((8..=35).contains(&of(None)), "{one:?}");
}

#[test]
fn credentials_are_lent_to_a_container_and_expire() {
    let cloud = filled();
    let mut client = Client::new(&cloud, Principal::Stranger);
    let lent = client.get("/credentials/Source").json();
    assert_eq!(client.get("/credentials/Nobody").status, 404);
    client.key = lent["AccessKeyId"].as_str().expect("a key").to_owned();
    assert_eq!(client.get("/src/a").element("Code"), "InvalidToken");
    client.token = lent["Token"].as_str().map(str::to_owned);
    assert_eq!(client.get("/src/a").text(), "content of a");
    cloud.expire_credentials();
    let answer = client.get("/src/a");
    assert_eq!((answer.status, answer.element("Code").as_str()), (400, "ExpiredToken"));
    let calls = cloud.calls_of("GetCredentials");
    assert_eq!(calls.iter().map(|call| call.service).collect::<Vec<_>>(), [Service::Container; 2]);
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
