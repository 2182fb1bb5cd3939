//! The run as a library.

use std::path::Path;

use promote::aws::session::Access;
use promote::run::many::{GroupPair, GroupSelection, find_groups, for_each_group};
use promote::run::settings::FullSettings;
use promote::run::{Context, full};
use serde_json::json;

use crate::support::{Cloud, Principal, SOURCE_ACCOUNT};
use crate::world::*;

#[test]
fn the_example_promotes_two_groups_side_by_side() {
    let cloud = with_package();
    let mut other = package();
    other["ModelPackageGroupName"] = json!("Fraud-Model");
    cloud.register(other);
    let binary = Path::new(env!("CARGO_BIN_EXE_promote")).with_file_name("examples").join("two_groups");
    let mut command = cloud.program(&binary, Principal::Both);
    command.args([SERVING, &Cloud::group_arn(GROUP), &Cloud::group_arn("Fraud-Model")]);
    let run = Run::of(command.output().expect("run `cargo build --examples` first; a whole `cargo test` does"));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let versions: Vec<&str> = run.stdout.lines().map(|arn| arn.rsplit('/').nth(1).expect("a group")).collect();
    assert_eq!(versions, ["churn-model", "fraud-model"]);
    assert!(cloud.packages(SOURCE_ACCOUNT, "Fraud-Model").len() == 1 && promoted(&cloud).len() == 1);
}

#[test]
fn a_run_may_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let context = Context::new(Access::default(), Access::default());
    let settings: FullSettings = serde_json::from_value(json!({
        "selection": {"group": Cloud::group_arn(GROUP)},
        "destination": {"bucket": SERVING},
    }))
    .expect("settings as a file would hold them");
    is_send(&context);
    is_send(&full(&context, &settings));
    let pattern = "team-*".parse().expect("a pattern");
    let selection =
        GroupSelection { pattern, tags: Vec::new(), first: None, target_group: None, created_tags: None, jobs: 8 };
    is_send(&find_groups(&context, &selection));
    is_send(&for_each_group(&context, &[], 8, async |context: Context, _: GroupPair| full(&context, &settings).await));
}

#[test]
fn an_unknown_setting_is_refused() {
    let settings = json!({"selection": {"group": "g"}, "destination": {"bucket": SERVING}, "dry-run": true});
    let error = serde_json::from_value::<FullSettings>(settings).expect_err("the member is dry_run");
    assert!(error.to_string().contains("unknown field `dry-run`"), "{error}");
}
