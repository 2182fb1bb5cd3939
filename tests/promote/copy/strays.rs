//! Objects below a promoted prefix that the source does not have: SageMaker would deploy them with the model.

use crate::support::{Cloud, Principal};
use crate::world::*;

/// The same place in the target.
const PREFIX: &str = "models/churn/llm/";

fn refused(cloud: &Cloud, run: &Run, key: &str) {
    let named = format!("a promoted prefix has objects that the source does not have:\n  s3://serving/{key}");
    run.fails(1, &[&named, "hint: Delete these objects at the target, or choose another `--target-prefix`"]);
    assert!(promoted(cloud).is_empty(), "nothing is registered");
}

#[test]
fn an_object_that_was_copied_and_then_deleted_at_the_source_stops_every_command_that_follows() {
    let cloud = with_package();
    let arguments = |step: &str| {
        let mut arguments = full();
        arguments[0] = step.to_owned();
        let group = arguments.iter().position(|argument| argument == "--group").expect("the group");
        arguments.splice(group..group + 2, ["--model-package".to_owned(), SOURCE_VERSION.to_owned()]);
        arguments.extend(["--output".to_owned(), "json".to_owned()]);
        arguments
    };
    run(&cloud, Principal::Both, &arguments("copy-artifacts")).document();
    cloud.remove(MODELS, "churn/llm/shard/1.bin");
    let stray = format!("{FOLDER}{PREFIX}shard/1.bin");
    let before = cloud.keys(SERVING);
    refused(&cloud, &promote(&cloud, &[]), &stray);
    refused(&cloud, &promote(&cloud, &["--dry-run"]), &stray);
    refused(&cloud, &run(&cloud, Principal::Both, &arguments("register")), &stray);
    assert_eq!(cloud.keys(SERVING), before);
    cloud.remove(SERVING, &stray);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}

#[test]
fn an_object_beside_the_promoted_prefixes_stops_nothing() {
    let cloud = with_package();
    cloud.put(SERVING, &format!("{FOLDER}models/notes.txt"), "ours");
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}
