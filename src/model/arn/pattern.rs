//! Patterns of model package groups, and templates of the names of their target groups.

use std::str::FromStr;

use regex::Regex;

use super::fields::fields;
use super::malformed::Malformed;
use super::parts::{AccountId, GroupName, Region};
use super::registry::{GroupArn, GroupRef};
use super::text::text_type;

/// `--group` of verbs that can run for several groups: one group, or a pattern.
#[derive(Debug, Clone)]
pub enum Groups {
    /// One group.
    One(GroupRef),
    /// Every group that matches.
    Matching(GroupPattern),
}

impl Groups {
    /// The region in the ARN, if an ARN is given.
    pub fn region(&self) -> Option<&Region> {
        match self {
            Self::One(group) => group.region(),
            Self::Matching(pattern) => pattern.owner.as_ref().map(|owner| &owner.region),
        }
    }
}

impl FromStr for Groups {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text.contains(['*', '?']) {
            true => text.parse().map(Self::Matching),
            false => text.parse().map(Self::One),
        }
    }
}

/// A pattern of group names, or of the name in a group's ARN. `*` stands for any characters, `?` for one. The letter
/// case does not matter: group names that differ in letter case only are equal.
#[derive(Debug, Clone)]
pub struct GroupPattern {
    text: String,
    owner: Option<PatternOwner>,
    name: Regex,
}

/// Where the groups of a pattern are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PatternOwner {
    partition: String,
    region: Region,
    account: AccountId,
}

impl GroupPattern {
    /// The pattern of the names, without the ARN around it.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// The account and the region in the ARN, if the pattern is an ARN.
    pub fn place(&self) -> Option<(&AccountId, &Region)> {
        self.owner.as_ref().map(|owner| (&owner.account, &owner.region))
    }

    /// The account in the ARN, if the pattern is an ARN.
    pub fn account(&self) -> Option<&AccountId> {
        self.owner.as_ref().map(|owner| &owner.account)
    }

    /// Whether the pattern matches a group.
    pub fn matches(&self, group: &GroupArn) -> bool {
        let is_there = |owner: &PatternOwner| {
            owner.partition == group.partition() && owner.region == *group.region() && owner.account == *group.account()
        };
        self.owner.as_ref().is_none_or(is_there) && self.name.is_match(&group.name().canonical())
    }
}

impl FromStr for GroupPattern {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            let expected =
                "letters, digits, hyphens, * and ?, or the ARN of a model package group with them in its name";
            Malformed::new("a pattern of model package groups", expected, text)
        };
        let (owner, name) = match text.starts_with("arn:") {
            false => (None, text),
            true => {
                let fields = fields(text, "sagemaker").ok_or_else(malformed)?;
                let name = fields.resource.strip_prefix("model-package-group/").ok_or_else(malformed)?;
                let owner = PatternOwner {
                    partition: fields.partition.to_owned(),
                    region: fields.region.parse()?,
                    account: fields.account.parse()?,
                };
                (Some(owner), name)
            }
        };
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-*?".contains(&b);
        if name.is_empty() || !name.bytes().all(is_allowed) {
            return Err(malformed());
        }
        let name = regex::escape(&name.to_ascii_lowercase()).replace(r"\*", ".*").replace(r"\?", ".");
        let name = Regex::new(&format!("^{name}$")).map_err(|_| malformed())?;
        Ok(Self { text: text.to_owned(), owner, name })
    }
}
text_type!(GroupPattern, text);

/// The part of a template that the name of the source group replaces.
const GROUP: &str = "{group}";

/// `--target-group`: a name, or a template with `{group}`, which stands for the name of the source group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupTemplate(String);

impl GroupTemplate {
    /// The name of the target group of a source group.
    ///
    /// # Errors
    /// The name is too long.
    pub fn target_of(&self, source: &GroupName) -> Result<GroupName, Malformed> {
        self.text_of(source.as_str()).parse()
    }

    /// The template with this text for the name of the source group: with a pattern, the pattern of target groups.
    pub fn text_of(&self, source: &str) -> String {
        self.0.replace(GROUP, source)
    }

    /// Whether the name is the same for every source group.
    pub fn is_fixed(&self) -> bool {
        !self.0.contains(GROUP)
    }

    /// The name, if it is the same for every source group.
    pub fn fixed(&self) -> Option<GroupName> {
        self.0.parse().ok()
    }
}

impl FromStr for GroupTemplate {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text.replace(GROUP, "g").parse::<GroupName>() {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(Malformed::new(
                "the name of a target group",
                "1 to 63 letters, digits and hyphens, with no hyphen at either end, with {group} for the source group's name",
                text,
            )),
        }
    }
}
text_type!(GroupTemplate);

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> GroupArn {
        format!("arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/{name}").parse().unwrap()
    }

    #[test]
    fn a_star_stands_for_any_characters_and_a_question_mark_for_one() {
        let matches = |pattern: &str, name: &str| pattern.parse::<GroupPattern>().unwrap().matches(&group(name));
        assert!(matches("team-*", "team-a") && matches("*", "a") && matches("*-eu", "team-eu"));
        assert!(matches("team-?", "team-a") && !matches("team-?", "team-ab") && !matches("team?", "team"));
        assert!(!matches("team-*", "ateam-a") && !matches("a*c", "abcd"));
    }

    #[test]
    fn the_letter_case_does_not_matter() {
        assert!("Team-*".parse::<GroupPattern>().unwrap().matches(&group("tEAM-A")));
    }

    #[test]
    fn a_pattern_of_arns_matches_groups_of_its_account_and_region_only() {
        let pattern = |text: &str| text.parse::<GroupPattern>().unwrap();
        let own = pattern("arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/t*");
        let other = pattern("arn:aws:sagemaker:eu-central-1:111222333444:model-package-group/t*");
        let elsewhere = pattern("arn:aws:sagemaker:eu-west-1:444333666777:model-package-group/t*");
        let team = group("team");
        assert!(own.matches(&team) && !other.matches(&team) && !elsewhere.matches(&team));
    }

    #[test]
    fn a_name_without_wildcards_is_one_group() {
        assert!(matches!("team-a".parse(), Ok(Groups::One(_))));
        assert!(matches!("team-*".parse(), Ok(Groups::Matching(_))));
        for text in ["a_*", "arn:aws:sagemaker:*:444333666777:model-package-group/a", "team.*", "*/1"] {
            assert!(text.parse::<Groups>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_template_has_the_name_of_the_source_group() {
        let template: GroupTemplate = "prod-{group}".parse().unwrap();
        assert_eq!(template.target_of(group("team").name()).unwrap().as_str(), "prod-team");
        assert_eq!((template.fixed(), "x".parse::<GroupTemplate>().unwrap().fixed()), (None, "x".parse().ok()));
        assert!("{team}".parse::<GroupTemplate>().is_err() && "-{group}".parse::<GroupTemplate>().is_err());
        assert!(template.target_of(&"a".repeat(63).parse().unwrap()).is_err());
    }
}
