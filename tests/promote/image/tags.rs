//! The tag that keeps an image from lifecycle rules for untagged images.

use super::*;
use crate::support::{Failure, Moment};

/// The tag of an image at the target.
fn tag(image: &TestImage) -> String {
    format!("promote-{}", &image.digest().replace(':', "-")[.."sha256-".len() + 32])
}

/// A promoted version whose image has lost its tag, or has none but this one.
fn untagged(other: Option<&str>) -> (Cloud, TestImage) {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    copy(&cloud, &[]).document();
    cloud.change_repository(TARGET_ACCOUNT, "serve", |found| {
        let there = found.images.get_mut(&image.digest()).expect("it is there");
        there.tags = other.map(str::to_owned).into_iter().collect();
    });
    (cloud, image)
}

fn tags(cloud: &Cloud, image: &TestImage) -> Vec<String> {
    cloud.image(TARGET_ACCOUNT, "serve", &image.digest()).expect("it is there").tags.into_iter().collect()
}

#[test]
fn the_next_run_tags_an_image_again_that_has_lost_its_tag_and_reads_nothing_of_the_source() {
    let (cloud, image) = untagged(None);
    // The source does not need its image any more.
    cloud.remove_image(SOURCE_ACCOUNT, "serve", &image.digest());
    let (writes, downloads) = (image_writes(&cloud).len(), cloud.calls_of("DownloadLayer").len());
    let planned = copy(&cloud, &["--dry-run"]).document();
    let expected = json!([{"act": "tag-image", "subject": format!("{TARGET_REGISTRY}/serve:{}", tag(&image))}]);
    assert_eq!((&planned["outcome"], &planned["planned"]), (&json!("planned"), &expected));
    assert_eq!(image_writes(&cloud).len(), writes);
    let document = copy(&cloud, &[]).document();
    assert_eq!(document["outcome"], "repaired", "{document:#}");
    assert_eq!(document["images"][0]["result"], "already-there");
    assert_eq!(tags(&cloud, &image), [tag(&image)]);
    assert_eq!(image_writes(&cloud)[writes..], ["PutImage"]);
    assert_eq!(cloud.calls_of("DownloadLayer").len(), downloads);
    assert_eq!(copy(&cloud, &[]).document()["outcome"], "already-promoted");
}

#[test]
fn an_image_keeps_the_tags_of_others_and_gets_its_own_again() {
    let (cloud, image) = untagged(Some("theirs"));
    assert_eq!(promote(&cloud, &["--images", "keep"]).document()["outcome"], "repaired");
    assert_eq!(tags(&cloud, &image), [tag(&image), "theirs".to_owned()]);
}

#[test]
fn a_tag_that_cannot_be_set_again_is_told_and_fails_nothing() {
    let (cloud, image) = untagged(None);
    cloud.fail(Moment::every("PutImage"), Failure::Status(400, "AccessDeniedException", "not authorized"));
    let document = copy(&cloud, &[]).document();
    assert_eq!(document["outcome"], "already-promoted");
    let warnings = document["warnings"].to_string();
    assert!(warnings.contains(&tag(&image)) && warnings.contains("ecr:PutImage"), "{warnings}");
}

#[test]
fn a_reviewed_plan_sets_no_tag_that_it_does_not_have() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    copy(&cloud, &[]).document();
    let file = cloud.home().join("plan.json").display().to_string();
    copy(&cloud, &["--dry-run", "--record", &file]).document();
    cloud.change_repository(TARGET_ACCOUNT, "serve", |found| {
        found.images.values_mut().for_each(|image| image.tags.clear());
    });
    copy(&cloud, &["--plan", &file]).fails(1, &["not in the plan: tag the image as", &tag(&image)]);
    assert_eq!(tags(&cloud, &image), [""; 0]);
}
