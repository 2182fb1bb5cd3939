//! `promote status` of a group that is held, or of which that is not known.

use super::*;
use crate::support::Failure;

fn hold(cloud: &Cloud, verb: &str, more: &[&str]) -> Value {
    let arguments =
        [&[verb, "--target-group", GROUP, "--reason", "Audit of the training data", "--output", "json"], more];
    run(cloud, Principal::Both, &arguments.concat()).document()
}

/// What status says, each line unfolded.
fn text(cloud: &Cloud, more: &[&str]) -> String {
    let group = Cloud::group_arn(GROUP);
    let run = run(cloud, Principal::Both, &[&["status", "--group", &group], more].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    regex::Regex::new(r"\n {11}(\S)").expect("a pattern").replace_all(&run.stdout, " $1").into_owned()
}

#[test]
fn a_held_group_says_who_holds_it_since_when_and_why_until_it_is_released() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let (held, by) = (hold(&cloud, "hold", &[])["hold"].clone(), Principal::Both.arn());
    assert_eq!(status(&cloud)["hold"], held);
    assert_eq!((&held["by"], &held["reason"]), (&json!(by), &json!("Audit of the training data")));
    let says = text(&cloud, &[]);
    assert!(
        says.contains("Held       since ") && says.contains(&format!("Z by {by}: Audit of the training data\n")),
        "{says}"
    );
    let page = text(&cloud, &["--output", "html"]);
    for shown in ["<dt>Held</dt>", "Audit of the training data", &by, ">held</span>, "] {
        assert!(page.contains(shown), "no '{shown}' in {page}");
    }
    hold(&cloud, "release", &[]);
    let document = status(&cloud);
    assert_eq!((document.get("hold"), document.get("hold_unread")), (None, None));
    assert!(!text(&cloud, &[]).contains("Held"));
}

#[test]
fn a_rollback_says_the_version_that_was_gone_back_to() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    promote(&cloud, &[]).document();
    hold(&cloud, "rollback", &["--settle-seconds", "0"]);
    assert!(text(&cloud, &[]).contains("Audit of the training data (rolled back to version 1)"));
}

#[test]
fn a_hold_before_the_first_promotion_is_found_in_the_bucket_that_is_given() {
    let cloud = with_package();
    hold(&cloud, "hold", &["--target-bucket", SERVING, "--target-prefix", "models/"]);
    let unread = status(&cloud)["hold_unread"].clone();
    let unknown = "no promoted version of the group names a bucket to look for holds in; pass `--target-bucket`";
    assert_eq!(unread, unknown);
    assert!(text(&cloud, &[]).contains(&format!("Hold       not known: {unknown}\n")));
    assert!(text(&cloud, &["--output", "html"]).contains("not known: no promoted version"));
    let found = text(&cloud, &["--target-bucket", SERVING, "--target-prefix", "models/"]);
    assert!(found.contains("Held       since "), "{found}");
}

#[test]
fn a_hold_is_found_where_any_version_was_promoted_to() {
    let cloud = with_package();
    promote(&cloud, &["--target-prefix", "old/"]).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    promote(&cloud, &["--target-prefix", "new/"]).document();
    hold(&cloud, "hold", &["--target-bucket", SERVING, "--target-prefix", "old/"]);
    assert_eq!(status(&cloud)["hold"]["reason"], "Audit of the training data");
    let flags = text(&cloud, &["--target-bucket", SERVING, "--target-prefix", "new/"]);
    assert_eq!(flags.matches("Held       since ").count(), 1, "one hold, at two places: {flags}");
}

#[test]
fn holds_of_several_people_at_several_places_are_all_shown() {
    let cloud = with_package();
    promote(&cloud, &["--target-prefix", "old/"]).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    promote(&cloud, &["--target-prefix", "new/"]).document();
    // The hold of an earlier release is at one place only.
    cloud.put(SERVING, "old/churn-model/_hold-1-held/hold.json", "{}");
    assert!(text(&cloud, &["--target-prefix", "new/"]).contains("the document of the hold cannot be read"));
    hold(&cloud, "hold", &[]);
    let (says, document) = (text(&cloud, &[]), status(&cloud));
    assert_eq!(says.matches("Held       since ").count(), 2, "{says}");
    assert_eq!(document["hold"]["reason"], "Audit of the training data");
    assert_eq!(document["other_holds"].as_array().map(Vec::len), Some(1), "{document:#}");
    assert_eq!(text(&cloud, &["--output", "html"]).matches("<dt>Held</dt>").count(), 2);
}

/// Versions of which the newest was promoted to the usual bucket, and the others to another one.
fn at_two_buckets() -> Cloud {
    let cloud = with_package();
    cloud.create_bucket("archive", TARGET_ACCOUNT);
    crate::run::rollback::moved(cloud, ("archive", "/"))
}

#[test]
fn a_bucket_that_was_deleted_has_no_hold() {
    let cloud = at_two_buckets();
    cloud.fail(Moment::every("ListObjectsV2").at("archive"), Failure::Status(404, "NoSuchBucket", "It does not exist"));
    let document = status(&cloud);
    assert_eq!((document.get("hold"), document.get("hold_unread")), (None, None), "{document:#}");
}

#[test]
fn a_bucket_that_is_given_and_does_not_exist_is_told() {
    let cloud = at_two_buckets();
    let group = Cloud::group_arn(GROUP);
    let arguments = ["status", "--group", &group, "--target-bucket", "mistyped", "--output", "json"];
    let document = run(&cloud, Principal::Both, &arguments).document();
    let unread = document["hold_unread"].as_str().expect("reasons");
    assert!(unread.contains("s3://mistyped/churn-model/"), "{unread}");
}

#[test]
fn each_place_that_may_not_be_listed_is_told_unless_a_hold_is_found() {
    let listings = ["archive", SERVING].map(|bucket| format!("s3:ListObjectsV2 on s3://{bucket}/churn-model/"));
    let cloud = at_two_buckets();
    hold(&cloud, "hold", &[]);
    cloud.deny(Principal::Both, "s3:ListBucket", "archive");
    let document = status(&cloud);
    assert_eq!(document["hold"]["reason"], "Audit of the training data");
    assert_eq!(document.get("hold_unread"), None);
    let cloud = at_two_buckets();
    cloud.deny(Principal::Both, "s3:ListBucket", "archive");
    cloud.deny(Principal::Both, "s3:ListBucket", SERVING);
    let document = status(&cloud);
    let unread = document["hold_unread"].as_str().expect("reasons");
    assert!(listings.iter().all(|listing| unread.contains(listing)), "{unread}");
}

#[test]
fn a_bucket_that_may_not_be_listed_does_not_fail_the_table_and_is_told() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.deny(Principal::Both, "s3:ListBucket", SERVING);
    let document = status(&cloud);
    let reason = document["hold_unread"].as_str().expect("a reason");
    assert!(reason.contains("s3:ListBucket"), "{reason}");
    assert_eq!(document["versions"][0]["state"], "promoted");
    cloud.heal();
    cloud.fail(
        Moment::every("ListObjectsV2"),
        Failure::Status(500, "InternalError", "We encountered an internal error"),
    );
    assert!(text(&cloud, &[]).contains("Hold       not known: "));
}

#[test]
fn a_table_of_groups_says_which_are_held_and_needs_one_call_for_it() {
    let cloud = crate::run::many::with_groups(&["team-a", "team-b"]);
    let pattern = Cloud::group_arn("team-*");
    let of_all = |verb: &str, more: &[&str]| {
        let run = run(&cloud, Principal::Both, &[&[verb, "--group", &pattern], more].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout
    };
    let none = of_all("status", &[]);
    assert_eq!(none.matches("not promoted; not known whether it is held").count(), 2, "{none}");
    of_all("full", &["--target-bucket", SERVING]);
    run(&cloud, Principal::Both, &["hold", "--target-group", "team-b", "--reason", "Audit"]);
    let before = cloud.calls().len();
    let table = of_all("status", &[]);
    let calls = cloud.calls().split_off(before);
    let line = |name: &str| table.lines().find(|line| line.starts_with(name)).expect("a line of the table").to_owned();
    assert!(line("team-b").contains("promoted, live; held since ") && line("team-b").ends_with("Z: Audit"), "{table}");
    assert!(line("team-a").ends_with("promoted, live"), "{table}");
    let of_team_a = calls.iter().filter(|call| format!("{call:?}").contains("team-a")).count();
    assert_eq!(of_team_a, 5, "{calls:#?}");
}

#[test]
fn verbose_lists_the_images_of_each_promoted_version_by_digest_with_their_result() {
    let cloud = with_package();
    promote(&cloud, &["--images", "copy"]).document();
    let says = text(&cloud, &["--verbose"]);
    let image =
        promoted(&cloud)[0]["InferenceSpecification"]["Containers"][0]["Image"].as_str().expect("one").to_owned();
    let source = "444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1";
    let says = says.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(says.contains(&format!(" image {image}, copied from {source}")), "{says}");
    assert!(!text(&cloud, &[]).contains("image "), "only with --verbose");
    let document = text(&cloud, &["--verbose", "--output", "json"]);
    let document: Value = serde_json::from_str(&document).expect("a document");
    let images = document["versions"][0]["lineage"]["images"].as_array().expect("images");
    let found = images.iter().find(|found| found["image"] == json!(image)).expect("the image");
    assert_eq!((&found["result"], &found["source"]), (&json!("copied"), &json!(source)));
    assert!(image.ends_with(found["digest"].as_str().expect("a digest")));
    assert_eq!(status(&cloud)["versions"][0].get("lineage"), None, "only with --verbose");
    let page = text(&cloud, &["--output", "html"]);
    assert!(page.contains(&image) && page.contains(", copied</span>"), "{page}");
}
