//! Strange promotions files.

use super::*;

/// A file with one target, which has these further members.
fn with_members(members: &str) -> String {
    format!(
        "promotions:\n  churn:\n    source: {{group: churn}}\n    targets:\n      production: {{bucket: serving, {members}}}\n"
    )
}

#[test]
fn a_number_with_an_anchor_or_a_tag_is_the_number() {
    let cloud = with_groups(&["churn"]);
    let text = "
promotions:
  churn:
    source: {group: arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/churn}
    targets:
      one: {bucket: serving, prefix: &number 0123, group: one, bucket_owner: !!int 111222333444}
      two: {bucket: serving, prefix: *number, group: two}
";
    apply(&cloud, text, &[]).document();
    assert_eq!(targets(&cloud), ["one", "two"]);
    assert!(cloud.keys(SERVING).iter().all(|key| key.starts_with("0123/")), "{:?}", cloud.keys(SERVING));
}

#[test]
fn a_deeply_nested_file_is_refused_without_a_crash() {
    let nested: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    for text in [nested, format!("promotions:\n  {}a\n", "- ".repeat(100_000))] {
        let wrong = wrong(&text);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].ends_with(": the file is nested too deeply; no member needs more than 8 levels"), "{wrong:?}");
    }
}

#[test]
fn a_large_file_is_refused_by_its_size() {
    let cloud = world();
    let text = format!("{}# {}\n", with_members("prefix: a"), "x".repeat(2 << 20));
    apply(&cloud, &text, &[]).fails(2, &["promotions.yaml is larger than 1 MiB", "hint: Split it into several files"]);
}

#[test]
fn a_file_that_is_not_utf_8_is_told_so() {
    let cloud = world();
    let file = cloud.home().join("promotions.yaml");
    let text: Vec<u8> = with_members("prefix: a").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&file, [&[0xff, 0xfe][..], &text].concat()).expect("the file is written");
    let run = run(&cloud, Principal::Both, &["plan", "--file", &file.display().to_string()]);
    run.fails(2, &["promotions.yaml is not UTF-8 text\n", "hint: Save the file as UTF-8"]);
    std::fs::remove_file(&file).expect("a file");
    let run = crate::world::run(&cloud, Principal::Both, &["plan", "--file", &file.display().to_string()]);
    run.fails(2, &["promotions.yaml cannot be read: No such file", "hint: Pass a promotions file with `--file`"]);
}

#[test]
fn long_values_and_long_lists_of_errors_are_shortened() {
    let wrong_value = wrong(&with_members(&format!("prefix: '{}'", "x".repeat(100_000))));
    assert_eq!(wrong_value.len(), 1);
    assert!(wrong_value[0].len() < 1000 && wrong_value[0].contains('…'), "{}", wrong_value[0].len());
    let target = |at| format!("      t{at}: {{bucket: Not_A_Bucket}}\n");
    let targets: String = (0..500).map(target).collect();
    let text = format!("promotions:\n  churn:\n    source: {{group: churn}}\n    targets:\n{targets}");
    let run = apply(&world(), &text, &[]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert_eq!(run.stderr.matches("is not a bucket name").count(), 50, "{}", run.stderr);
    assert!(run.stderr.contains("\nand 450 more\nhint: "), "{}", run.stderr);
}

#[test]
fn members_that_do_not_go_together_are_told_with_their_place_and_in_words_of_the_file() {
    let several = with_members("prefix: a").replace("group: churn", "group: churn-*, package_version: 3");
    assert_eq!(
        wrong(&several),
        ["3:47: churn/production: `source.package_version` requires one group, and `source.group churn-*` is a \
             pattern"]
    );
    let tags = with_members("prefix: a").replace("group: churn", "group: churn, tag: [stage=prod]");
    let said = "3:33: churn/production: `source.tag` has no effect on a group that is given by its name or ARN";
    assert_eq!(wrong(&tags), [said]);
    let long = with_members("group: 'prod-{group}'").replace("group: churn", &format!("group: {}", "c".repeat(60)));
    let wrong = wrong(&long);
    assert!(wrong[0].starts_with("5:7: churn/production: the target group of ccc"), "{wrong:?}");
}

#[test]
fn a_key_that_is_given_by_its_alias_is_told_with_its_place() {
    let alias = "arn:aws:kms:eu-central-1:111222333444:alias/serving";
    for member in ["kms_key_arn", "sign_key"] {
        let wrong = wrong(&with_members(&format!("{member}: '{alias}'")));
        assert!(wrong[0].contains("is an alias, which may refer to another key later"), "{wrong:?}");
    }
}

#[test]
fn a_name_that_only_does_not_have_is_shown_in_quotes() {
    let cloud = world();
    for only in ["", "nope", " churn"] {
        apply(&cloud, &with_members("prefix: a"), &["--only", only])
            .fails(2, &[&format!("has no promotion or target '{only}'"), "hint: Pass one of churn, churn/production"]);
    }
}

#[test]
fn variables_in_values_are_not_expanded() {
    let cloud = with_groups(&["churn"]);
    let text = "
promotions:
  churn:
    source: {group: arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/churn}
    targets:
      production:
        bucket: serving
        prefix: '$HOME/${USER}'
";
    let plan = |text: &str, more: &[&str]| {
        std::fs::write(cloud.home().join("promotions.yaml"), text).expect("the file is written");
        let file = cloud.home().join("promotions.yaml").display().to_string();
        let mut program = cloud.promote(Principal::Both);
        let program = program.env("USER", "expanded-user").args(["plan", "--file", &file]).args(more);
        Run::of(program.output().expect("the binary starts"))
    };
    for output in ["text", "markdown"] {
        let run = plan(text, &["--output", output]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.contains("s3://serving/$HOME/${USER}/churn/"), "{}", run.stdout);
        assert!(!run.stdout.contains("expanded-user"), "{}", run.stdout);
    }
    let run = plan(&text.replace("bucket: serving", "bucket: 'serving-${USER}-$HOME'"), &[]);
    run.fails(2, &[":7:17: ", "'serving-${USER}-$HOME'"]);
    assert!(!run.stderr.contains("expanded-user"), "{}", run.stderr);
    apply(&cloud, text, &[]).document();
    assert!(cloud.keys(SERVING).iter().all(|key| key.starts_with("$HOME/${USER}/churn/")), "{:?}", cloud.keys(SERVING));
}
