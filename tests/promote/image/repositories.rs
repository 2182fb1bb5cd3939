//! The repository of the target: which one, how it is created, and what is respected where it exists.

use super::*;
use crate::support::Failure;
use crate::support::Moment;

const SETTINGS: &str = "arn:aws:ecr:eu-central-1:444333666777:repository/serve";

#[test]
fn a_missing_repository_is_created_with_the_settings_of_the_source_where_those_can_be_read() {
    for (readable, mutability, scans) in [(true, "IMMUTABLE", true), (false, "MUTABLE", false)] {
        let image = TestImage::small("a");
        let cloud = with_image(&image);
        cloud.change_repository(SOURCE_ACCOUNT, "serve", |found| {
            (found.mutability, found.scan_on_push) = ("IMMUTABLE".into(), true);
        });
        if readable {
            cloud.allow(Principal::Both, "ecr:DescribeRepositories", SETTINGS);
        }
        copy(&cloud, &[]).document();
        let created = cloud.repository(TARGET_ACCOUNT, "serve").expect("it was created");
        assert_eq!((created.mutability.as_str(), created.scan_on_push), (mutability, scans));
        is_there(&cloud, "serve", &image);
    }
}

#[test]
fn an_existing_repository_keeps_its_settings() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    cloud.change_repository(TARGET_ACCOUNT, "serve", |found| {
        (found.mutability, found.scan_on_push) = ("IMMUTABLE".into(), true);
    });
    copy(&cloud, &[]).document();
    is_there(&cloud, "serve", &image);
    let there = cloud.repository(TARGET_ACCOUNT, "serve").expect("it exists");
    assert_eq!((there.mutability.as_str(), there.scan_on_push), ("IMMUTABLE", true));
    assert!(!image_writes(&cloud).contains(&"CreateRepository".to_owned()));
    cloud.register(model("s3://models/churn/model.tar.gz"));
    assert_eq!(copy(&cloud, &[]).document()["images"][0]["result"], "already-there");
}

#[test]
fn a_missing_repository_is_refused_before_the_first_write_if_none_is_to_be_created() {
    let cloud = with_image(&TestImage::small("a"));
    for more in [&["--no-create-repository", "--dry-run"][..], &["--no-create-repository"]] {
        copy(&cloud, more).fails(1, &[&format!("{TARGET_REGISTRY}/serve does not exist"), "`--no-create-repository`"]);
    }
    assert_eq!((image_writes(&cloud), cloud.keys(SERVING)), (Vec::new(), Vec::new()));
    cloud.create_repository(TARGET_ACCOUNT, "serve");
    copy(&cloud, &["--no-create-repository"]).document();
}

#[test]
fn the_name_of_the_repository_begins_with_the_prefix() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    copy(&cloud, &["--image-repository-prefix", "models/"]).document();
    is_there(&cloud, "models/serve", &image);
    assert!(cloud.repository(TARGET_ACCOUNT, "serve").is_none());
    assert_eq!(containers(&cloud)[0]["Image"], target_of("models/serve", &image.digest()));
}

#[test]
fn a_tag_of_ours_that_belongs_to_another_image_is_not_moved() {
    let (image, other) = (TestImage::small("a"), TestImage::small("b"));
    let cloud = with_image(&image);
    let tag = format!("promote-{}", &image.digest().replace(':', "-")[.."sha256-".len() + 32]);
    for mutability in ["MUTABLE", "IMMUTABLE"] {
        cloud.change_repository(TARGET_ACCOUNT, "serve", |found| found.mutability = mutability.into());
        cloud.push(TARGET_ACCOUNT, "serve", &tag, &other);
        copy(&cloud, &[]).fails(1, &[&tag, &image.digest(), &other.digest()]);
        assert!(image_writes(&cloud).is_empty());
        let holder = cloud.image(TARGET_ACCOUNT, "serve", &other.digest()).expect("it is there");
        assert!(holder.tags.contains(&tag));
    }
}

#[test]
fn the_tags_of_the_target_stay_where_they_are() {
    let (image, other) = (TestImage::small("a"), TestImage::small("b"));
    let cloud = with_image(&image);
    cloud.push(TARGET_ACCOUNT, "serve", "1", &other);
    copy(&cloud, &[]).document();
    let holder = cloud.image(TARGET_ACCOUNT, "serve", &other.digest()).expect("it is there");
    assert!(holder.tags.contains("1"));
    is_there(&cloud, "serve", &image);
}

#[test]
fn a_repository_that_somebody_else_creates_meanwhile_is_used() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    cloud.hook(Moment::on("CreateRepository", 1), |cloud| cloud.create_repository(TARGET_ACCOUNT, "serve"));
    copy(&cloud, &[]).document();
    is_there(&cloud, "serve", &image);
}

#[test]
fn two_runs_at_once_make_one_image() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    // The first run is held before its first layer until the other one has ended.
    cloud.fail(Moment::on("InitiateLayerUpload", 1), Failure::Hang);
    let arrived = Arrival::of(&cloud, Moment::on("InitiateLayerUpload", 1));
    let slow = spawn(&cloud, &["--images", "copy"]);
    arrived.wait();
    copy(&cloud, &[]);
    cloud.release();
    let slow = ended(slow);
    assert_eq!((slow.code, slow.document()["outcome"].as_str()), (0, Some("already-promoted")), "{}", slow.stderr);
    copy(&cloud, &[]).document();
    cloud.forget_layer_uploads();
    is_there(&cloud, "serve", &image);
}
