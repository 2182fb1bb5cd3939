//! The permissions of docs/reference/permissions.md, each with the resource that it is needed on in these tests.

use super::{SOURCE_KEY, TARGET_KEY};
use crate::support::kms::SIGN_KEY;

const PAGE: &str = include_str!("../../../../docs/reference/permissions.md");

/// How the tables that list permissions begin.
const HEAD: &str = "| where | permissions | on |\n|---|---|---|\n";

/// All permissions that `full` may need for one group, each with its resource.
pub(super) fn permissions() -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    for (place, actions) in rows() {
        for action in actions {
            let Some(resource) = resource(place, action) else { continue };
            if !all.contains(&(action, resource)) {
                all.push((action, resource));
            }
        }
    }
    all
}

/// The rows of the tables, each with its permissions.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let lines = PAGE.split(HEAD).skip(1).flat_map(|table| table.lines().take_while(|line| line.starts_with("| ")));
    let rows = lines.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let quoted = cells[1].split('`').skip(1).step_by(2);
        (cells[0], quoted.filter(|text| text.contains(':') && !text.starts_with("--")).collect())
    });
    rows.collect()
}

/// The resource of a permission. Nothing for the rows that other tests take.
fn resource(place: &str, action: &str) -> Option<&'static str> {
    Some(match (place, action) {
        ("source registry" | "source group", _) => "arn:aws:sagemaker:eu-central-1:444333666777:*",
        ("source bucket", "s3:ListBucket") => "models",
        ("source bucket", _) => "models/*",
        ("source key", _) => SOURCE_KEY,
        ("target bucket", "s3:ListBucket" | "s3:ListBucketMultipartUploads") => "serving",
        ("target bucket" | "uploads in the target bucket", _) => "serving/*",
        ("target registry" | "target group", _) => "arn:aws:sagemaker:eu-central-1:111222333444:*",
        ("target key", _) => TARGET_KEY,
        ("signing key", _) => SIGN_KEY,
        ("source repositories", _) => "arn:aws:ecr:eu-central-1:444333666777:*",
        ("target repositories", _) => "arn:aws:ecr:eu-central-1:111222333444:*",
        // `pattern` and `a_role_that_cannot_be_assumed…` have these. `full` writes no page.
        ("source groups of a pattern" | "STS" | "page of `--page`", _) => return None,
        (place, action) => panic!("no test knows {action} in the row '{place}'"),
    })
}

#[test]
fn every_row_of_the_tables_names_its_permissions() {
    let rows = rows();
    assert_eq!(rows.len(), 15, "{rows:#?}");
    for (place, actions) in &rows {
        assert!(!actions.is_empty(), "no permission in the row '{place}'");
    }
    assert!(permissions().len() >= 36, "{:#?}", permissions());
}
