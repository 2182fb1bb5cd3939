//! The age of a plan, and its limit.

use std::time::{Duration, SystemTime};

use super::edited::with_its_digest;
use super::*;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// A plan that was made so many seconds ago, and its time.
fn made_before(cloud: &Cloud, seconds: u64) -> (PathBuf, String) {
    let (file, mut planned) = plan(cloud, &[]);
    let made = humantime::format_rfc3339_millis(SystemTime::now() - Duration::from_secs(seconds)).to_string();
    (planned["started"], planned["ended"]) = (json!(made), json!(made));
    with_its_digest(cloud, &file, &mut planned);
    (file, made)
}

#[test]
fn a_plan_that_is_older_than_the_limit_is_refused_with_its_time_and_the_limit_and_nothing_is_written() {
    let cases: [(u64, &[&str], &str); 4] = [
        (7 * DAY + MINUTE, &[], "7 days"),
        (11 * MINUTE, &["--plan-max-age", "10m"], "10 minutes"),
        (2 * DAY, &["--plan-max-age", "36h"], "1 day and 12 hours"),
        (MINUTE, &["--plan-max-age", "0s"], "0 seconds"),
    ];
    let cloud = with_package();
    for (age, flags, limit) in cases {
        let (file, made) = made_before(&cloud, age);
        let before = writes(&cloud);
        let says =
            [&format!("the plan of {made} is older than {limit}"), "Make and review a new plan", "--plan-max-age"];
        carry_out(&cloud, &file, flags).fails(1, &says);
        assert_eq!(writes(&cloud), before, "{limit}");
    }
    assert!(promoted(&cloud).is_empty());
}

#[test]
fn a_plan_that_is_younger_than_the_limit_is_carried_out() {
    let cases: [(u64, &[&str]); 3] =
        [(7 * DAY - 5 * MINUTE, &[]), (MINUTE, &["--plan-max-age", "10m"]), (30 * DAY, &["--plan-max-age", "31d"])];
    for (age, flags) in cases {
        let cloud = with_package();
        let (file, made) = made_before(&cloud, age);
        let document = carry_out(&cloud, &file, flags).document();
        assert_eq!(document["outcome"], "promoted", "{age}: {document:#}");
        assert!(document.to_string().contains(&made), "the record names the time of its plan: {document:#}");
    }
}
