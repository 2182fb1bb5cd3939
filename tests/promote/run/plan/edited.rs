//! A plan file that is no plan, is too old, or was edited.

use std::path::Path;

use super::*;

/// Writes a plan that was edited, with the digest that it has then.
pub(super) fn with_its_digest(cloud: &Cloud, file: &Path, planned: &mut Value) {
    std::fs::write(file, planned.to_string()).expect("a file in the home folder");
    let run = carry_out(cloud, file, &[]);
    let digest = regex::Regex::new("has the digest (sha256:[0-9a-f]{64})").expect("a pattern");
    let digest = digest.captures(&run.stderr).unwrap_or_else(|| panic!("no digest: {}", run.stderr))[1].to_owned();
    planned["plan"]["digest"] = json!(digest);
    std::fs::write(file, planned.to_string()).expect("a file in the home folder");
}

#[test]
fn a_file_that_is_no_plan_or_was_edited_or_is_too_old_is_refused() {
    let cloud = with_package();
    let (file, mut planned) = plan(&cloud, &[]);
    carry_out(&cloud, &file, &["--plan-max-age", "0s"]).fails(1, &["is older than", "--plan-max-age"]);
    planned["artifacts"][0]["etag"] = json!("0123");
    std::fs::write(&file, planned.to_string()).unwrap();
    carry_out(&cloud, &file, &[]).fails(1, &["the plan was edited"]);
    std::fs::write(&file, "{}").unwrap();
    carry_out(&cloud, &file, &[])
        .fails(1, &["is not the plan of one group: it is JSON, but not a document of promote"]);
    let record = file.display().to_string();
    promote(&cloud, &["--record", &record]).document();
    carry_out(&cloud, &file, &[])
        .fails(1, &["is not the plan of one group: it is the document of a run without `--dry-run`"]);
    assert_eq!(promoted(&cloud).len(), 1);
}

#[test]
fn a_plan_is_not_overwritten_by_the_document_of_the_run_that_carries_it_out() {
    let cloud = with_package();
    let (file, _) = plan(&cloud, &[]);
    let (path, before) = (file.display().to_string(), std::fs::read(&file).expect("the plan"));
    for more in [&[][..], &["--dry-run"]] {
        carry_out(&cloud, &file, &[&["--record", &path], more].concat())
            .fails(2, &["`--record` would overwrite the plan", "Pass another file"]);
        assert_eq!(std::fs::read(&file).expect("the plan"), before);
    }
    carry_out(&cloud, cloud.home(), &[]).fails(1, &["reading ", "Make a plan with"]);
}

/// Every member of a value that is no object or list, as a JSON pointer.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            leaves(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| leaves(value, &format!("{at}/{n}"), found))
        }
        _ => found.push(at.to_owned()),
    }
}

/// Another value of the same kind. The member still has a form that can be read: one digit or letter is another one.
fn other(value: &Value) -> Value {
    match value {
        Value::Bool(is) => json!(!is),
        Value::Number(number) => json!(number.as_u64().map_or(7, |number| number + 1)),
        Value::String(text) => {
            let is_safe = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase();
            let last = text.rfind(is_safe).unwrap_or_default();
            let swapped = if text[last..].starts_with(['1', 'a']) { "2" } else { "1" };
            json!(format!("{}{swapped}{}", &text[..last], text.get(last + 1..).unwrap_or_default()))
        }
        _ => json!("1"),
    }
}

#[test]
fn whatever_is_edited_in_a_plan_it_is_refused_before_the_first_write() {
    let cloud = one_of_two_promoted();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Drift"}));
    let (file, planned) = plan(&cloud, &[]);
    for member in ["images", "references", "withdrawn", "planned", "artifacts"] {
        assert!(planned[member].as_array().is_some_and(|list| !list.is_empty()), "{member}: {planned:#}");
    }
    let before = (promoted(&cloud), cloud.keys(SERVING), writes(&cloud));
    let mut pointers = Vec::new();
    leaves(&planned, "", &mut pointers);
    for pointer in pointers {
        let mut edited = planned.clone();
        let member = edited.pointer_mut(&pointer).expect("it is there");
        *member = other(member);
        std::fs::write(&file, edited.to_string()).expect("a file in the home folder");
        let run = carry_out(&cloud, &file, &[]);
        assert_eq!(run.code, 1, "{pointer}: {}", run.stdout);
        let says = ["the plan was edited: its content has the digest", "cannot read", "schema version"];
        assert!(says.iter().any(|says| run.stderr.contains(says)), "{pointer}: {}", run.stderr);
    }
    assert_eq!(before, (promoted(&cloud), cloud.keys(SERVING), writes(&cloud)));
}

#[test]
fn a_plan_to_which_something_was_added_is_refused_before_the_first_write() {
    let cloud = one_of_two_promoted();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Drift"}));
    let (file, planned) = plan(&cloud, &[]);
    let before = writes(&cloud);
    for at in ["", "/source", "/target", "/tool", "/plan/settings", "/artifacts/0", "/images/0", "/planned/0"] {
        let mut edited = planned.clone();
        let members = edited.pointer_mut(at).and_then(Value::as_object_mut);
        members.unwrap_or_else(|| panic!("{at}: {planned:#}")).insert("reviewed_by".to_owned(), json!("nobody"));
        std::fs::write(&file, edited.to_string()).expect("a file in the home folder");
        let run = carry_out(&cloud, &file, &[]);
        assert_eq!(run.code, 1, "{at}: {}", run.stdout);
        let says = ["the plan was edited: its content has the digest", "cannot read"];
        assert!(says.iter().any(|says| run.stderr.contains(says)), "{at}: {}", run.stderr);
    }
    assert_eq!(before, writes(&cloud));
}

#[test]
fn a_plan_from_which_something_was_removed_is_refused() {
    let cloud = one_of_two_promoted();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    let (file, planned) = plan(&cloud, &["--images", "keep"]);
    assert!(!planned["not_carried"].as_array().expect("the images").is_empty());
    for member in ["not_carried", "references", "withdrawn", "artifacts", "planned"] {
        let mut edited = planned.clone();
        edited[member] = json!([]);
        std::fs::write(&file, edited.to_string()).expect("a file in the home folder");
        carry_out(&cloud, &file, &["--images", "keep"]).fails(1, &["the plan was edited"]);
    }
}

#[test]
fn a_plan_that_was_only_formatted_is_carried_out() {
    /// The same with its members in the other order.
    fn turned(value: &Value) -> Value {
        match value {
            Value::Object(members) => members.iter().rev().map(|(name, value)| (name.clone(), turned(value))).collect(),
            Value::Array(items) => items.iter().map(turned).collect(),
            other => other.clone(),
        }
    }
    let cloud = with_package();
    let (file, planned) = plan(&cloud, &[]);
    std::fs::write(&file, turned(&planned).to_string()).expect("a file in the home folder");
    assert_eq!(carry_out(&cloud, &file, &[]).document()["outcome"], "promoted");
}
