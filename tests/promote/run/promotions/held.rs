//! A promotions file of which a target group is held.

use super::*;
use crate::run::many::held::writes_to;

#[test]
fn a_held_group_of_a_promotions_file_is_reported_and_not_written_to_and_the_others_are_promoted() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let place = ["--target-prefix", "production", "--target-bucket", "serving", "--reason", "Audit"];
    let of_production = |verb| {
        let arguments = [&[verb, "--target-group", "prod-team-b"], &place[..]].concat();
        assert_eq!(run(&cloud, Principal::Both, &arguments).code, 0, "{verb}");
    };
    of_production("hold");
    let before = writes(&cloud).len();
    let document = apply(&cloud, FILE, &["--only", "teams"]).document();
    let outcomes = json!({"groups": 4, "outcomes": {"held": 1, "promoted": 3}, "exit_code": 0});
    assert_eq!(document["summary"], outcomes);
    let held = of(&document, "teams/production", "team-b");
    assert_eq!((&held["exit_code"], &held["document"]["hold"]["reason"]), (&json!(0), &json!("Audit")), "{held:#}");
    assert_eq!(writes_to(&cloud, before, "prod-team-b"), Vec::<String>::new());
    assert_eq!(targets(&cloud), ["prod-team-a", "staging-team-a", "staging-team-b"]);
    let plan = cloud.home().join("plan.json").display().to_string();
    assert_eq!(of_file(&cloud, "plan", FILE, &["--only", "teams", "--record", &plan]).code, 0);
    let planned = apply(&cloud, FILE, &["--only", "teams", "--plan", &plan]);
    assert_eq!((planned.code, planned.stderr.matches("is held since").count()), (0, 1), "{}", planned.stderr);
    of_production("release");
    let document = apply(&cloud, FILE, &["--only", "teams"]).document();
    assert_eq!(of(&document, "teams/production", "team-b")["document"]["outcome"], "promoted");
}
