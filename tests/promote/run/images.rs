//! Images in the life of a promoted version: the first run, later runs, the steps one at a time, and reviewed plans.

use serde_json::{Value, json};

use crate::support::{Cloud, Layer, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT, TestImage};
use crate::world::*;

const COPY: [&str; 2] = ["--images", "copy"];
const HOST: &str = "111222333444.dkr.ecr.eu-central-1.amazonaws.com";

/// The images of the promoted version, first those of the model and then those of the additional specifications.
fn images(version: &Value) -> Vec<String> {
    let containers = |specification: &Value| specification["Containers"].as_array().cloned().unwrap_or_default();
    let additional = version["AdditionalInferenceSpecifications"].as_array().cloned().unwrap_or_default();
    let all = [version["InferenceSpecification"].clone()].into_iter().chain(additional);
    let images = all.flat_map(|one| containers(&one)).map(|one| one["Image"].as_str().expect("an image").to_owned());
    images.collect()
}

/// The images of the default package in the target.
fn copies() -> Vec<String> {
    ["serve", "llm"].map(|name| format!("{HOST}/{name}@{}", TestImage::small(name).digest())).to_vec()
}

/// Runs a verb with a text on standard input.
fn piped(cloud: &Cloud, arguments: &[&str], text: &str) -> Run {
    let mut command = cloud.promote(Principal::Both);
    Run::of(command.args(arguments).args(["--output", "json"]).write_stdin(text).output().expect("the binary starts"))
}

fn calls(cloud: &Cloud, operations: &[&str]) -> usize {
    operations.iter().map(|operation| cloud.calls_of(operation).len()).sum()
}

#[test]
fn the_promoted_version_names_the_copies_of_its_images_by_digest() {
    let cloud = with_package();
    let document = promote(&cloud, &COPY).document();
    assert_eq!(document["outcome"], "promoted");
    assert_eq!(images(&promoted(&cloud)[0]), copies());
    for name in ["serve", "llm"] {
        let digest = TestImage::small(name).digest();
        let copy = cloud.image(TARGET_ACCOUNT, name, &digest).expect("the image was copied");
        assert_eq!(copy.manifest, TestImage::small(name).manifest);
        let tag = format!("promote-sha256-{}", &digest["sha256:".len()..][..32]);
        assert_eq!(copy.tags.into_iter().collect::<Vec<_>>(), [tag]);
    }
    let recorded = document["images"].as_array().expect("a list");
    assert_eq!(recorded.len(), 2);
    for image in recorded {
        assert_eq!(image["result"], "copied", "{image:#}");
    }
}

#[test]
fn a_dry_run_lists_each_image_with_what_is_missing_and_writes_nothing() {
    let cloud = with_package();
    let document = promote(&cloud, &[&COPY[..], &["--dry-run"]].concat()).document();
    let image = &document["images"][0];
    assert_eq!((&image["result"], image["missing_layers"].as_u64()), (&json!("planned"), image["layers"].as_u64()));
    let writes = document["planned"].as_array().expect("a list").iter().map(|write| write["act"].clone());
    let acts: Vec<Value> = writes.filter(|act| act.as_str().is_some_and(|act| act.contains("image"))).collect();
    assert_eq!(acts, ["copy-image", "tag-image", "copy-image", "tag-image"]);
    assert!(cloud.repository(TARGET_ACCOUNT, "serve").is_none());
    let text = run_text(&cloud, &[&COPY[..], &["--dry-run"]].concat());
    assert!(text.contains("Images     2 images"), "{text}");
}

fn run_text(cloud: &Cloud, more: &[&str]) -> String {
    let arguments: Vec<String> = full().into_iter().chain(more.iter().map(|one| (*one).to_owned())).collect();
    let run = run(cloud, Principal::Both, &arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout
}

#[test]
fn a_run_again_neither_reads_nor_writes_a_layer_and_changes_nothing() {
    let cloud = with_package();
    promote(&cloud, &COPY).document();
    let before = promoted(&cloud);
    let layers = || calls(&cloud, &["GetDownloadUrlForLayer", "BatchCheckLayerAvailability", "PutImage"]);
    let calls = layers();
    let document = promote(&cloud, &COPY).document();
    assert_eq!((&document["outcome"], promoted(&cloud)), (&json!("already-promoted"), before));
    assert_eq!(layers(), calls);
}

#[test]
fn a_version_that_was_promoted_with_the_images_of_the_source_keeps_them() {
    let cloud = with_package();
    promote(&cloud, &["--images", "keep"]).document();
    let before = promoted(&cloud);
    let document = promote(&cloud, &COPY).document();
    assert_eq!(document["outcome"], "already-promoted");
    assert_eq!(document["changes"], json!([]));
    assert!(document["warnings"].to_string().contains("`--images copy` has no effect"), "{}", document["warnings"]);
    assert_eq!(promoted(&cloud), before);
}

#[test]
fn a_sync_of_metadata_does_not_change_the_images() {
    let cloud = with_package();
    promote(&cloud, &COPY).document();
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "retention"}}));
    let document = promote(&cloud, &COPY).document();
    assert_eq!(document["outcome"], "updated", "{document:#}");
    let changes = document["changes"].as_array().expect("a list");
    assert!(changes.iter().all(|change| change["field"] == "CustomerMetadataProperties{team}"), "{changes:?}");
    assert_eq!(images(&promoted(&cloud)[0]), copies());
}

#[test]
fn the_steps_one_at_a_time_copy_the_images_before_the_version_is_registered() {
    let cloud = with_package();
    let found = piped(&cloud, &["find-latest", "--group", &Cloud::group_arn(GROUP)], "").stdout;
    let before = piped(&cloud, &["register", "--from", "-", "--target-bucket", SERVING, "--images", "copy"], &found);
    before.fails(1, &["not at the target", "promote copy-artifacts"]);
    let copied =
        piped(&cloud, &["copy-artifacts", "--from", "-", "--target-bucket", SERVING, "--images", "copy"], &found);
    assert_eq!(copied.document()["images"][0]["result"], "copied");
    let registered = piped(&cloud, &["register", "--from", "-", "--images", "copy"], &copied.stdout);
    assert_eq!(registered.document()["outcome"], "promoted");
    assert_eq!(images(&promoted(&cloud)[0]), copies());
}

/// What a run could have written.
fn state(cloud: &Cloud) -> (Vec<Value>, Vec<String>, Vec<String>, bool) {
    let has_repository = ["serve", "llm"].iter().any(|name| cloud.repository(TARGET_ACCOUNT, name).is_some());
    (promoted(cloud), cloud.keys(SERVING), writes(cloud), has_repository)
}

#[test]
fn a_plan_is_refused_before_the_first_write_if_a_tag_moves_that_decides() {
    let cloud = with_package();
    let file = cloud.home().join("plan.json").display().to_string();
    promote(&cloud, &[&COPY[..], &["--dry-run", "--record", &file]].concat()).document();
    cloud.push(SOURCE_ACCOUNT, "serve", "1", &TestImage::oci(&[Layer::gzip("another")]));
    let before = state(&cloud);
    promote(&cloud, &[&COPY[..], &["--plan", &file]].concat()).fails(1, &["cannot be carried out any more", "Image"]);
    assert_eq!(before, state(&cloud));
}

#[test]
fn a_plan_holds_if_a_tag_moves_that_does_not_decide() {
    let cloud = with_package();
    let approved = TestImage::small("serve");
    let mut package = model("s3://models/churn/model.tar.gz");
    package["InferenceSpecification"]["Containers"][0]["ImageDigest"] = json!(approved.digest());
    cloud.register(package);
    let file = cloud.home().join("plan.json").display().to_string();
    let planned = promote(&cloud, &[&COPY[..], &["--dry-run", "--record", &file]].concat()).document();
    assert_eq!(planned["images"][0]["digest"], approved.digest());
    cloud.push(SOURCE_ACCOUNT, "serve", "1", &TestImage::oci(&[Layer::gzip("another")]));
    let document = promote(&cloud, &[&COPY[..], &["--plan", &file]].concat()).document();
    assert_eq!(document["outcome"], "promoted", "{document:#}");
    assert_eq!(images(&promoted(&cloud)[0]), [copies()[0].clone()]);
}

#[test]
fn a_plan_from_before_images_were_copied_is_refused() {
    let cloud = with_package();
    let file = cloud.home().join("plan.json");
    let path = file.display().to_string();
    promote(&cloud, &["--images", "keep", "--dry-run", "--record", &path]).document();
    let mut plan: Value = serde_json::from_slice(&std::fs::read(&file).expect("a plan")).expect("JSON");
    let settings = plan["plan"]["settings"]["overrides"].as_object_mut().expect("settings");
    let removed: Vec<String> = settings.keys().filter(|name| name.contains("image")).cloned().collect();
    assert!(!removed.is_empty(), "{settings:?}");
    removed.iter().for_each(|name| drop(settings.remove(name)));
    let write = |plan: &Value| std::fs::write(&file, plan.to_string()).expect("a file in the home folder");
    write(&plan);
    // The message of an edited plan has the digest that the earlier version would have written.
    let edited = promote(&cloud, &["--plan", &path]);
    let digest = regex::Regex::new("has the digest (sha256:[0-9a-f]{64})").expect("a pattern");
    let digest = digest.captures(&edited.stderr).expect("the digest")[1].to_owned();
    plan["plan"]["digest"] = json!(digest);
    write(&plan);
    let run = promote(&cloud, &["--plan", &path]);
    run.fails(
        1,
        &["cannot be carried out any more", "the setting overrides.images is \"copy\", and was planned as not set"],
    );
    assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0));
}

#[test]
fn an_image_that_was_deleted_at_the_target_is_copied_again_and_verify_says_that_it_is_missing() {
    let cloud = with_package();
    let document = promote(&cloud, &COPY).document();
    let version = document["target"]["model_package_arn"].as_str().expect("a version").to_owned();
    let verify = ["verify", "--model-package", &version, "--output", "json"];
    assert_eq!(run(&cloud, Principal::Both, &verify).document()["outcome"], "identical");
    let digest = TestImage::small("serve").digest();
    cloud.remove_image(TARGET_ACCOUNT, "serve", &digest);
    let missing = run(&cloud, Principal::Both, &verify);
    assert_eq!(missing.code, 5, "{}{}", missing.stdout, missing.stderr);
    let found: Value = serde_json::from_str(&missing.stdout).expect("a document");
    let images = found["findings"].as_array().into_iter().flatten().filter(|finding| finding["subject"] == "image");
    let verdicts: Vec<&str> = images.filter_map(|finding| finding["verdict"].as_str()).collect();
    assert_eq!(verdicts, ["identical", "missing"]);
    let repaired = promote(&cloud, &COPY).document();
    assert_eq!(repaired["outcome"], "repaired", "{repaired:#}");
    let results: Vec<&Value> = ["result", "missing_layers"].map(|member| &repaired["images"][1][member]).to_vec();
    assert_eq!(results, [&json!("copied"), &json!(0)], "its layers were still there");
    assert_eq!(repaired["images"][0]["result"], "already-there");
    assert!(cloud.image(TARGET_ACCOUNT, "serve", &digest).is_some());
    assert_eq!(promote(&cloud, &COPY).document()["outcome"], "already-promoted");
}

#[test]
fn an_image_of_an_older_version_is_copied_again_by_the_command_that_verify_names() {
    let cloud = with_package();
    let document = promote(&cloud, &COPY).document();
    let version = document["target"]["model_package_arn"].as_str().expect("a version").to_owned();
    cloud.push(SOURCE_ACCOUNT, "other", "1", &TestImage::small("other"));
    let mut newer = model("s3://models/churn/model.tar.gz");
    newer["InferenceSpecification"]["Containers"][0]["Image"] =
        json!("444333666777.dkr.ecr.eu-central-1.amazonaws.com/other:1");
    cloud.register(newer);
    promote(&cloud, &COPY).document();
    cloud.remove_image(TARGET_ACCOUNT, "serve", &TestImage::small("serve").digest());
    let verify = run(&cloud, Principal::Both, &["verify", "--model-package", &version]);
    assert!(verify.told().contains("`promote full --images copy --package-version 1`"), "{}", verify.stdout);
    let repaired = promote(&cloud, &["--images", "copy", "--package-version", "1"]).document();
    assert_eq!(repaired["outcome"], "repaired", "{repaired:#}");
    assert_eq!(run(&cloud, Principal::Both, &["verify", "--model-package", &version]).code, 0);
}

#[test]
fn an_added_specification_whose_image_was_not_copied_is_drift() {
    let cloud = with_package();
    promote(&cloud, &COPY).document();
    let mut specifications = package()["AdditionalInferenceSpecifications"].as_array().cloned().expect("a list");
    let added = |name: &str, image: &str| json!({"Name": name, "Containers": [{"Image": image, "ModelDataUrl": "s3://models/churn/model.tar.gz"}]});
    let host = "444333666777.dkr.ecr.eu-central-1.amazonaws.com";
    specifications.push(added("same", &format!("{host}/serve:1")));
    specifications.push(added("other", &format!("{host}/other:1")));
    specifications.push(added("public", "public.ecr.aws/team/serve:1"));
    cloud.change(SOURCE_VERSION, json!({"AdditionalInferenceSpecifications": specifications}));
    let document = promote(&cloud, &COPY).document();
    let result = |name: &str| {
        let field = format!("AdditionalInferenceSpecifications{{{name}}}");
        let changes = document["changes"].as_array().into_iter().flatten();
        let found: Vec<&Value> = changes.filter(|change| change["field"] == field).collect();
        assert_eq!(found.len(), 1, "{name} in {:#}", document["changes"]);
        found[0]["result"].clone()
    };
    assert_eq!([result("same"), result("other"), result("public")], ["updated", "drift", "updated"]);
    let promoted = images(&promoted(&cloud)[0]);
    assert_eq!(promoted[2..], [copies()[0].clone(), "public.ecr.aws/team/serve:1".to_owned()]);
}
