//! The page of a team: what each cell of a row, a version and a lineage has.

use super::parts;
use super::written::{TEAM, keep, page_of_all, team};

/// A group of the team, the cells of its row that are not empty, and the columns of its versions.
type Group = (&'static str, &'static [(&'static str, &'static str)], &'static [[&'static str; 3]]);

const ON_THE_PAGE: [Group; 8] = [
    (
        "churn",
        &[
            ("Newest approved", "3"),
            ("Promoted as", "3"),
            ("Live", "3"),
            ("State", "promoted"),
            ("Promoted", "2"),
            ("Withdrawn", "1"),
        ],
        &[
            ["4 PendingManualApproval, 4 hours", "", "not promoted"],
            ["3 Approved, 12 days", "→ 3 Approved, 11 days", "promoted live"],
            ["2 Rejected, 33 days", "→ 2 Rejected, 32 days", "withdrawn"],
            ["1 Approved, 61 days", "→ 1 Approved, 60 days", "promoted"],
        ],
    ),
    (
        "credit-scoring",
        &[
            ("Newest approved", "2"),
            ("Live", "1"),
            ("State", "not promoted"),
            ("Not promoted for", "3 days"),
            ("Promoted", "1"),
        ],
        &[
            ["2 Approved, 3 days", "", "not promoted"],
            ["1 Approved, 47 days", "→ 1 Approved, 46 days", "promoted live"],
        ],
    ),
    (
        "demand-forecast",
        &[
            ("Newest approved", "2"),
            ("Promoted as", "2"),
            ("Live", "1"),
            ("State", "pending approval"),
            ("Promoted", "1"),
            ("Pending", "1"),
        ],
        &[
            ["2 Approved, 21 hours", "→ 2 PendingManualApproval, 21 hours", "pending approval"],
            ["1 Approved, 75 days", "→ 1 Approved, 74 days", "promoted live"],
        ],
    ),
    (
        "fraud-cards",
        &[
            ("Newest approved", "3"),
            ("Live", "1"),
            ("State", "held, not promoted"),
            ("Not promoted for", "5 days"),
            ("Promoted", "1"),
            ("Drift", "1"),
        ],
        &[
            ["3 Approved, 5 days", "", "not promoted"],
            ["2 Approved, 20 days", "→ 2 Rejected, 19 days", "rejected in the target, drift"],
            ["1 Approved, 90 days", "→ 1 Approved, 89 days", "promoted live"],
        ],
    ),
    (
        "fraud-transfers",
        &[
            ("Newest approved", "2"),
            ("Promoted as", "2"),
            ("Live", "2"),
            ("State", "promoted"),
            ("Promoted", "2"),
            ("Drift", "1"),
        ],
        &[
            ["2 Approved, 8 days", "→ 2 Approved, 7 days", "promoted live, drift"],
            ["1 Approved, 40 days", "→ 1 Approved, 39 days", "promoted"],
        ],
    ),
    (
        "price-elasticity",
        &[("State", "nothing approved at the source")],
        &[["1 PendingManualApproval, 2 days", "", "not promoted"]],
    ),
    (
        TEAM[6].0,
        &[("Newest approved", "1"), ("Promoted as", "1"), ("Live", "1"), ("State", "promoted"), ("Promoted", "1")],
        &[["1 Approved, 4 days", "→ 1 Approved, 3 days", "promoted live"]],
    ),
    ("support-triage", &[("State", "not read")], &[]),
];

#[test]
fn the_page_of_a_team_has_every_state_in_its_cell() {
    let run = page_of_all(&team());
    let page = run.stdout.as_str();
    keep("team.html", page);
    assert_eq!(run.code, 1, "{}", run.stderr);
    for (group, cells, versions) in ON_THE_PAGE {
        let mut row = parts::row(page, group);
        assert_eq!(row.remove("Group").as_deref(), Some(group));
        let cells = cells.iter().map(|(column, cell)| ((*column).to_owned(), (*cell).to_owned()));
        assert_eq!(row, cells.collect(), "the row of {group}");
        let shown = parts::versions(parts::section(page, group)).into_iter().map(|version| version.columns);
        assert_eq!(Vec::from_iter(shown), versions, "the section of {group}");
    }
    let section = |group| parts::section(page, group);
    assert!(section("support-triage").contains(">Not read</span>: target: sagemaker:ListModelPackages"), "{page}");
    let held = &parts::facts(section("fraud-cards"))["Held"];
    let by = " UTC by arn:aws:iam::111222333444:user/target: Incident 4711: false positives doubled; \
              rolled back to version 1";
    assert!(held.starts_with("since ") && held.ends_with(by), "{held}");
    let groups = ["churn", "credit-scoring", "demand-forecast", "fraud-transfers", TEAM[6].0];
    assert!(groups.iter().all(|group| !parts::facts(section(group)).contains_key("Held")), "{page}");
}

#[test]
fn a_version_of_the_page_has_its_artifacts_and_the_fields_that_differ_in_their_cells() {
    let page = page_of_all(&team()).stdout;
    let versions = parts::versions(parts::section(&page, "fraud-transfers"));
    let [first, second] = [versions[1].lineage, versions[0].lineage];
    for (lineage, number, size) in [(first, 1, "53.71 KiB"), (second, 2, "60.55 KiB")] {
        let folder = format!("s3://models/fraud-transfers/training-00{number}");
        assert_eq!(
            parts::table(lineage, "Source"),
            [
                [&format!("{folder}/evaluation/quality.json"), "13 B", "etag"],
                [&format!("{folder}/output/model.tar.gz"), size, "etag"]
            ]
        );
    }
    let differences = |lineage, kind| {
        let fields = parts::table(lineage, "Field").into_iter();
        fields.filter(|cells| cells[0].ends_with(kind)).collect::<Vec<Vec<String>>>()
    };
    assert_eq!(
        differences(second, " drift"),
        [
            ["CustomerMetadataProperties{team} drift", "payments", "risk"],
            ["Domain drift", "OTHER", "MACHINE_LEARNING"],
            ["CustomerMetadataProperties{training-run} drift", "(none)", "fraud-transfers-002"],
        ]
    );
    assert!(differences(first, " drift").is_empty());
    let set = differences(first, " set by the promotion");
    let fields = set.iter().map(|cells| cells[0].split(' ').next().unwrap_or_default());
    let (container, metrics) = ("InferenceSpecification.Containers[0]", "ModelMetrics.ModelQuality.Statistics.S3Uri");
    assert_eq!(Vec::from_iter(fields), [&format!("{container}.Image"), &format!("{container}.ModelDataUrl"), metrics]);
    let copied =
        "s3://serving/fraud-transfers/444333666777-eu-central-1-fraud-transfers-v1/models/fraud-transfers/training-001";
    let statistics = "s3://models/fraud-transfers/training-001/evaluation/quality.json";
    assert_eq!(set[2][1..], [statistics.to_owned(), format!("{copied}/evaluation/quality.json")]);
}
