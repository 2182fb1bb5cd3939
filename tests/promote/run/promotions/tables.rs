//! What `promote plan` and `promote apply` print: columns, signs and counts.

use super::*;

#[test]
fn the_columns_of_the_table_are_aligned_also_if_the_target_with_the_longest_name_has_failed() {
    let cloud = with_groups(&["team-a", "churn"]);
    let text = FILE.replace("model-package-group/churn", "model-package-group/ab*nt");
    let text = text.replace("      production: {prefix", "      production-of-the-team-for-risk-and-fraud: {prefix");
    let run = of_file(&cloud, "apply", &text, &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let lines = run.stdout.lines().take_while(|line| !line.is_empty());
    // The rest of a long outcome is indented.
    let rows: Vec<&str> = lines.filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(rows.len(), 4, "{}", run.stdout);
    let at = rows[0].find("OUTCOME").expect("a header");
    for row in &rows[1..] {
        let (columns, outcome) = row.split_at(at);
        assert!(columns.ends_with("  ") && !outcome.starts_with(' '), "{}", run.stdout);
    }
}

/// The signs of a plan, as its last line but one explains them.
const SIGNS: &str = "+ added, - rejected or replaced, ! changed, warned of or failed";

#[test]
fn a_plan_explains_its_signs() {
    let cloud = with_groups(&["team-a", "churn"]);
    cloud.remove(MODELS, "churn/model.tar.gz");
    let text = of_file(&cloud, "plan", FILE, &[]).stdout;
    assert!(text.contains("\n  ! churn: failed: "), "{text}");
    assert!(text.ends_with(&format!("\n\n{SIGNS}\n3 targets, 3 groups: 1 failed, 2 planned\n")), "{text}");
    let markdown = of_file(&cloud, "plan", FILE, &["--output", "markdown"]).stdout;
    let signs = "`+` added, `-` rejected or replaced, `!` changed, warned of or failed";
    assert!(markdown.ends_with(&format!("\n\n{signs}\n\n3 targets, 3 groups: 1 failed, 2 planned\n")), "{markdown}");
    cloud.put(MODELS, "churn/model.tar.gz", "churn");
    apply(&cloud, FILE, &[]).document();
    let nothing = of_file(&cloud, "plan", FILE, &[]).stdout;
    assert!(!nothing.contains(SIGNS), "{nothing}");
}
