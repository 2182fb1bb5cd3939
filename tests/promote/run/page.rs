//! `promote status --output html`: one page for people.

mod lineage;
mod parts;
mod team;
mod written;

use serde_json::json;

use crate::support::{Cloud, Principal, TARGET_ACCOUNT};
use crate::world::*;

fn page_of(cloud: &Cloud, more: &[&str]) -> String {
    let group = Cloud::group_arn(GROUP);
    let arguments = [&["status", "--group", group.as_str(), "--output", "html"], more].concat();
    let run = run(cloud, Principal::Both, &arguments);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run.stdout
}

fn has_all(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "no '{text}' in: {}", &page[page.find("<body>").unwrap_or_default()..]);
    }
}

#[test]
fn the_page_has_both_sides_and_the_lineage_of_each_promoted_version() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.register(package());
    promote(&cloud, &["--approval", "pending"]).document();
    cloud.register(package());
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let wrote = writes(&cloud);
    let page = page_of(&cloud, &[]);
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    has_all(
        &page,
        &["1 group", "Churn-Model", "<td>3</td>", "not promoted", "pending approval", "less than a minute", "drift"],
    );
    has_all(&page, &["Reviewed by the risk board", "the source: its approval is carried over", "nobody yet"]);
    has_all(&page, &[&format!("s3://serving/{FOLDER}promotion.json"), "4 artifacts", "s3://models/churn/model.tar.gz"]);
    has_all(&page, &["serve:1", "CustomerMetadataProperties{team}", "growth", "risk", "set by the promotion"]);
    assert_eq!(writes(&cloud), wrote, "it only reads");
}

#[test]
fn the_page_of_several_groups_has_the_lineage_of_each_version_and_what_drifts() {
    let cloud = with_package();
    for _ in 0..3 {
        promote(&cloud, &[]).document();
        cloud.register(package());
    }
    promote(&cloud, &[]).document();
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let pattern = Cloud::group_arn("Churn*");
    let run = run(&cloud, Principal::Both, &["status", "--group", &pattern, "--output", "html"]);
    assert_eq!((run.code, run.stdout.matches("<details").count()), (0, 4), "{}", run.stderr);
    has_all(&run.stdout, &["drift", "CustomerMetadataProperties{team}", "growth", "risk"]);
    assert!(!run.stdout.contains("not shown here"), "{}", run.stdout);
}

#[test]
fn the_page_runs_nothing_and_fetches_nothing() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let page = page_of(&cloud, &[]);
    for text in ["<script", "javascript:", "@import", "url(", "<link", "<img", " src=", "style=", " onclick"] {
        assert!(!page.contains(text), "{text}");
    }
    has_all(&page, &["default-src 'none'", "prefers-color-scheme:dark", "@media print"]);
}

#[test]
fn hostile_metadata_is_text_on_the_page_and_secrets_are_masked() {
    let cloud = world();
    cloud.put(MODELS, "churn/model.tar.gz", "weights");
    let mut hostile = model("s3://models/churn/model.tar.gz");
    hostile["ApprovalDescription"] = json!("<script>alert(1)</script>\" onmouseover='x' \u{202e}desrever");
    hostile["InferenceSpecification"]["Containers"][0]["Environment"] = json!({"HF_TOKEN": "hf_of_the_source"});
    cloud.register(hostile);
    hostile_user(&cloud, SOURCE_VERSION);
    promote(&cloud, &[]).document();
    let description = "</style><img src=x onerror=alert(1)>".to_owned() + &"x".repeat(100_000);
    cloud.change(
        SOURCE_VERSION,
        json!({
            "ModelPackageDescription": description,
            "CustomerMetadataProperties": {"link": "javascript:alert(2)", "API_KEY": "key-of-the-source"},
        }),
    );
    let page = page_of(&cloud, &[]);
    has_all(
        &page,
        &["&lt;script&gt;alert(1)&lt;/script&gt;&quot;", r"\u{202e}desrever", "(100036 characters)", "(masked)"],
    );
    for text in ["<script", "<img", "\u{202e}", "key-of-the-source", "hf_of_the_source", "href=\"javascript"] {
        assert!(!page.contains(text), "{text} is in the page");
    }
    assert!(page.len() < 30_000, "{} bytes", page.len());
    let lineage = parts::versions(parts::section(&page, GROUP))[0].lineage;
    assert!(parts::facts(lineage)["Approver at the source"].starts_with("user<script>alert(3)</script>"), "{lineage}");
}

/// Gives a version a last change by somebody with a hostile name.
fn hostile_user(cloud: &Cloud, version: &str) {
    let user = json!({"UserProfileArn": "user<script>alert(3)</script>\u{202e}", "UserProfileName": "x"});
    cloud.change(version, json!({"LastModifiedBy": user}));
}

#[test]
fn hostile_metadata_of_a_promoted_version_is_inert_on_the_page_and_in_text() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let promoted = format!("arn:aws:sagemaker:eu-central-1:{TARGET_ACCOUNT}:model-package/churn-model/1");
    let attack = "\u{1b}[31m\u{9b}2J</td><script>alert(1)</script>\u{202e}\u{2066}\r\nnull\0";
    let mut metadata = cloud.package(&promoted).expect("a version")["CustomerMetadataProperties"].clone();
    let hostile = json!({attack: attack, "null": "", "team": "x".repeat(64 * 1024)});
    metadata.as_object_mut().expect("members").extend(hostile.as_object().cloned().expect("members"));
    cloud.change(
        &promoted,
        json!({
            "ApprovalDescription": attack,
            "ModelPackageDescription": attack.repeat(2000),
            "Domain": attack,
            "Task": "null",
            "CustomerMetadataProperties": metadata,
        }),
    );
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": attack}}));
    let page = page_of(&cloud, &[]);
    has_all(&page, &["&lt;script&gt;alert(1)&lt;/script&gt;", r"\u{1b}[31m", r"\u{202e}", " characters)"]);
    assert!(!page.contains("<script") && page.len() < 40_000, "{} bytes: {page}", page.len());
    let group = Cloud::group_arn(GROUP);
    let plan = ["--target-bucket", SERVING, "--dry-run"];
    let pattern = Cloud::group_arn("churn*");
    let mut texts = vec![("page", page)];
    for (code, verb, group, more) in [
        (0, "status", &group, &["--verbose"][..]),
        (0, "status", &pattern, &[]),
        (0, "find-latest", &group, &[]),
        (0, "full", &group, &plan),
        (0, "full", &pattern, &plan),
        (5, "verify", &group, &[]),
        (0, "withdraw", &group, &plan),
    ] {
        let run = run(&cloud, Principal::Both, &[&[verb, "--group", group], more].concat());
        assert_eq!(run.code, code, "{verb}: {}", run.stderr);
        texts.extend([(verb, run.stdout), (verb, run.printed)]);
    }
    for (verb, text) in texts {
        let hidden = text.chars().find(|c| c.is_control() && *c != '\n' || "\u{202e}\u{2066}".contains(*c));
        assert_eq!(hidden, None, "{verb}: {text}");
        let longest = text.lines().filter(|_| verb != "page").map(str::len).max();
        assert!(longest < Some(1000), "{verb}: {longest:?}");
    }
}

#[test]
fn a_record_that_cannot_be_read_is_told_on_the_page() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.put(SERVING, &format!("{FOLDER}promotion.json"), "{}");
    has_all(&page_of(&cloud, &[]), &["Record not read", "no record of this version"]);
}

#[test]
fn without_the_source_the_page_says_so() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let arguments = ["status", "--target-group", GROUP, "--output", "html"];
    let run = run(&cloud, Principal::Target, &arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    written::keep("target.html", &run.stdout);
    has_all(&run.stdout, &["the source was not given", "approved in the target", "its fields are not compared"]);
    assert_eq!(cloud.packages(TARGET_ACCOUNT, GROUP).len(), 1);
}

#[test]
fn only_status_has_a_page() {
    let cloud = with_package();
    let arguments: Vec<String> = full().into_iter().chain(["--output".into(), "html".into()]).collect();
    run(&cloud, Principal::Both, &arguments).fails(2, &["html", "possible values: text, json"]);
}

#[test]
fn a_page_of_many_groups_has_each_of_them_and_needs_5_kilobytes_for_one() {
    let names: Vec<String> = (0..12).map(|number| format!("team-{number:02}")).collect();
    let cloud = super::many::with_groups(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let pattern = Cloud::group_arn("team-*");
    let full =
        run(&cloud, Principal::Both, &["full", "--group", &pattern, "--target-bucket", SERVING, "--images", "keep"]);
    assert_eq!(full.code, 0, "{}", full.stderr);
    let page = run(&cloud, Principal::Both, &["status", "--group", &pattern, "--output", "html"]);
    assert_eq!(page.code, 0, "{}", page.stderr);
    for name in &names {
        assert!(page.stdout.contains(&format!(">{name}</h2>")), "no section of {name}");
    }
    assert!(page.stdout.len() < 4_000 + 5_000 * names.len(), "{} bytes", page.stdout.len());
}

const PAGE: [&str; 2] = ["--page", "s3://serving/mlops/status.html"];

/// Runs `status` for the groups of a pattern.
fn status_of(cloud: &Cloud, pattern: &str, more: &[&str]) -> Run {
    let pattern = Cloud::group_arn(pattern);
    run(cloud, Principal::Both, &[&["status", "--group", &pattern], &PAGE[..], more].concat())
}

#[test]
fn the_page_is_kept_in_a_bucket_and_replaced_by_the_next() {
    let cloud = with_package();
    let group = Cloud::group_arn(GROUP);
    let before = run(&cloud, Principal::Both, &[&["status", "--group", &group], &PAGE[..]].concat());
    assert_eq!((before.code, before.stderr.as_str()), (0, ""));
    promote(&cloud, &[]).document();
    let flags = ["--output", "html", "--target-acl", "bucket-owner-full-control", "--target-sse", "AES256"];
    let page = status_of(&cloud, GROUP, &flags);
    assert_eq!(page.code, 0, "{}", page.stderr);
    let kept = cloud.object(SERVING, "mlops/status.html").expect("the page");
    assert_eq!(kept.body.bytes(), page.stdout.as_bytes());
    has_all(&page.stdout, &["promotion.json", "4 artifacts"]);
    assert_eq!(kept.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(kept.attributes.acl.as_deref(), Some("bucket-owner-full-control"));
}

#[test]
fn a_page_of_which_a_group_cannot_be_read_does_not_replace_the_one_before() {
    let cloud = with_package();
    let mut other = package();
    other["ModelPackageGroupName"] = json!("churn-2");
    cloud.register(other);
    assert_eq!(status_of(&cloud, "c*", &[]).code, 0);
    let kept = || cloud.object(SERVING, "mlops/status.html").expect("the page").body.bytes();
    let before = kept();
    let versions = format!("{}/*", Cloud::group_arn("churn-2").replace("-group/", "/"));
    cloud.deny(Principal::Both, "sagemaker:ListModelPackages", &versions);
    let run = status_of(&cloud, "c*", &[]);
    assert!(run.stderr.contains("s3://serving/mlops/status.html was not replaced"), "{}", run.stderr);
    assert_eq!(kept(), before);
}

#[test]
fn a_denied_upload_of_the_page_names_the_permission_on_its_key_and_who_needs_it() {
    let cloud = with_package();
    cloud.deny(Principal::Both, "s3:PutObject", "serving/mlops/status.html");
    let run = status_of(&cloud, GROUP, &[]);
    let hint = "hint: Grant s3:PutObject on arn:aws:s3:::serving/mlops/status.html to the target principal, which writes \
                the page, then run again\n";
    run.fails(1, &["target: s3:PutObject: AccessDenied: ", hint]);
    assert!(!run.stderr.contains("finished copies"), "{}", run.stderr);
}

#[test]
fn a_dry_run_keeps_no_page_and_a_prefix_is_no_page() {
    let cloud = with_package();
    assert_eq!(status_of(&cloud, GROUP, &["--dry-run"]).code, 0);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
    let group = Cloud::group_arn(GROUP);
    for prefix in ["s3://serving", "s3://serving/mlops/"] {
        run(&cloud, Principal::Both, &["status", "--group", &group, "--page", prefix])
            .fails(2, &["--page", "s3://<bucket>/<key>"]);
    }
}

#[test]
fn a_page_replaces_neither_a_model_nor_an_object_of_a_promotion() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let before = cloud.keys(SERVING);
    let group = Cloud::group_arn(GROUP);
    let folder = "s3://serving/mlops/churn/444333666777-eu-central-1-churn-v1";
    for (key, message) in [
        ("s3://serving/models/model.tar.gz".to_owned(), "ends in .html"),
        (format!("{folder}/promotion.json"), "ends in .html"),
        (format!("{folder}/models/report.html"), "outside of the folders of promotions"),
        (format!("{folder}/_claims/report.html"), "outside of the folders of promotions"),
        ("s3://serving/mlops/churn/_hold-1-held/page.html".to_owned(), "outside of the folders of promotions"),
    ] {
        run(&cloud, Principal::Both, &["status", "--group", &group, "--page", &key]).fails(2, &["--page", message]);
    }
    assert_eq!(cloud.keys(SERVING), before);
}

#[test]
fn a_page_in_the_folder_of_a_target_group_disturbs_no_promotion() {
    let cloud = with_package();
    let (group, pattern) = (Cloud::group_arn(GROUP), Cloud::group_arn("churn*"));
    let flags = ["--target-bucket", SERVING, "--images", "keep", "--output", "json"];
    let full = |group: &str| run(&cloud, Principal::Both, &[&["full", "--group", group], &flags[..]].concat());
    for key in ["churn-model/status.html", "churn-model/reports/status.html", "churn-model/promotion.html"] {
        let page = format!("s3://{SERVING}/{key}");
        let kept = run(&cloud, Principal::Both, &["status", "--group", &group, "--page", &page]);
        assert_eq!(kept.code, 0, "{}", kept.stderr);
    }
    assert_eq!(full(&group).document()["outcome"], "promoted");
    assert_eq!(full(&group).document()["outcome"], "already-promoted");
    assert_eq!(full(&pattern).document()["summary"]["outcomes"], json!({"already-promoted": 1}));
    let verify = run(&cloud, Principal::Both, &["verify", "--group", &group]);
    assert_eq!(verify.code, 0, "{}{}", verify.stdout, verify.stderr);
    let target = ["--target-group", GROUP];
    for (verb, more) in [
        ("hold", &["--target-bucket", SERVING, "--reason", "Incident 4711"][..]),
        ("release", &["--target-bucket", SERVING]),
    ] {
        let run = run(&cloud, Principal::Target, &[&[verb], &target[..], more].concat());
        assert_eq!(run.code, 0, "{verb}: {}", run.stderr);
    }
    assert_eq!(full(&group).document()["outcome"], "already-promoted");
    assert_eq!(cloud.keys(SERVING).iter().filter(|key| key.ends_with(".html")).count(), 3);
}
