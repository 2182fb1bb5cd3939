//! Buckets of a group that were deleted, or that the principal may not read or write.

use super::*;

#[test]
fn a_place_that_cannot_be_held_is_named_and_stops_no_rejection() {
    let cloud = with_package();
    cloud.create_bucket("archive", TARGET_ACCOUNT);
    let cloud = places::moved(cloud, ("archive", "/"));
    cloud.deny(Principal::Both, "s3:PutObject", "archive/*");
    let says = ["is held at s3://serving/churn-model/", "could not be held at s3://archive/churn-model/"];
    hold(&cloud).fails(1, &says);
    assert_eq!(statuses(&cloud), ["Approved"; 3]);
    rollback(&cloud, &[]).fails(1, &says);
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected"]);
    assert!(has_hold(&cloud, ""));
    let could_not = "is released at s3://serving/churn-model/, and could not be released at s3://archive/churn-model/";
    cloud.deny(Principal::Both, "s3:ListBucket", "archive");
    let run_without_flags = release(&cloud);
    run_without_flags.fails(1, &[could_not, "s3:ListBucket"]);
    assert!(!run_without_flags.stderr.contains("--target-bucket"), "{}", run_without_flags.stderr);
    let planned = run(&cloud, Principal::Both, &rollback_as("hold", &["--reason", "Audit", "--dry-run"])).document();
    assert!(planned["warnings"].to_string().contains("s3://archive/churn-model/ cannot be read"), "{planned:#}");
}

#[test]
fn a_version_that_was_promoted_to_a_bucket_that_was_deleted_prevents_no_hold_and_no_run() {
    let cloud = with_package();
    cloud.create_bucket("archive", TARGET_ACCOUNT);
    let cloud = places::moved(cloud, ("archive", "/"));
    cloud.fail(Moment::every("ListObjectsV2").at("archive"), Failure::Status(404, "NoSuchBucket", "It does not exist"));
    let document = hold(&cloud).document();
    let warnings = document["warnings"].to_string();
    assert!(document["outcome"] == "held" && warnings.contains("s3://archive/churn-model/"), "{document:#}");
    assert_eq!(release(&cloud).document()["outcome"], "released");
    cloud.register(model("s3://models/churn/model.tar.gz"));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}

#[test]
fn a_rollback_of_a_version_whose_bucket_was_deleted_is_complete_and_warns_that_it_has_no_record() {
    let cloud = with_package();
    cloud.create_bucket("archive", TARGET_ACCOUNT);
    let cloud = places::moved(cloud, ("archive", "/"));
    cloud.fail(Moment::every("ListObjectsV2").at(SERVING), Failure::Status(404, "NoSuchBucket", "It does not exist"));
    let older = promoted(&cloud).iter().position(|one| one.to_string().contains("s3://archive/")).expect("one") + 1;
    let document = rollback(&cloud, &["--to", &older.to_string()]).document();
    assert_eq!(document["outcome"], "rolled-back", "{document:#}");
    assert!(document["unconfirmed"].is_null(), "{document:#}");
    let warnings = document["warnings"].to_string();
    assert!(warnings.contains("is not recorded: the bucket serving does not exist"), "{warnings}");
}

#[test]
fn the_newest_version_s_bucket_that_was_deleted_prevents_no_hold_unless_it_is_given() {
    let cloud = with_package();
    cloud.create_bucket("archive", TARGET_ACCOUNT);
    let cloud = places::moved(cloud, ("archive", "/"));
    cloud.fail(Moment::every("ListObjectsV2").at(SERVING), Failure::Status(404, "NoSuchBucket", "It does not exist"));
    let document = hold(&cloud).document();
    let warnings = document["warnings"].to_string();
    assert!(document["outcome"] == "held" && warnings.contains("s3://serving/churn-model/"), "{document:#}");
    let given = rollback_as("hold", &["--reason", "Audit", "--target-bucket", SERVING]);
    run(&cloud, Principal::Both, &given).fails(1, &["NoSuchBucket"]);
}

#[test]
fn a_place_that_may_not_be_listed_is_a_warning_of_a_run_and_no_failure() {
    let cloud = with_package();
    cloud.create_bucket("archive", TARGET_ACCOUNT);
    let cloud = places::moved(cloud, ("archive", "/"));
    cloud.register(model("s3://models/churn/model.tar.gz"));
    cloud.deny(Principal::Both, "s3:ListBucket", "archive");
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["outcome"], "promoted", "{document:#}");
    let warnings = document["warnings"].to_string();
    assert!(warnings.contains("cannot be searched for a hold"), "{warnings}");
}

#[test]
fn a_place_that_may_not_be_listed_is_a_warning_too_of_a_run_about_a_version_that_was_promoted_elsewhere() {
    let cloud = with_package();
    cloud.create_bucket("archive", TARGET_ACCOUNT);
    let cloud = places::moved(cloud, ("archive", "/"));
    cloud.deny(Principal::Both, "s3:ListBucket", "archive");
    // The latest version was promoted to the usual prefix.
    let document = elsewhere(&cloud, &[]);
    assert_eq!(document["outcome"], "already-promoted", "{document:#}");
    let warnings = document["warnings"].as_array().expect("warnings");
    let of_archive = warnings.iter().filter(|warning| warning["field"] == "s3://archive/churn-model/");
    assert_eq!(of_archive.count(), 1, "{document:#}");
}
