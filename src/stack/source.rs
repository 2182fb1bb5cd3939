//! The source groups of a stack.

use std::str::FromStr;

use crate::model::arn::{AccountId, Fields, GroupArn, GroupName, Malformed, Region, fields, text_type};

/// The ARN of a source group, or of all groups that a pattern matches: `*` in its name stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceGroups {
    text: String,
    region: Region,
    account: AccountId,
    name: String,
}

impl SourceGroups {
    /// The ARN with the name in lower case.
    pub fn canonical(&self) -> String {
        self.text.to_ascii_lowercase()
    }

    /// The region of the groups.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The account of the groups.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The name of the group, or the pattern of names.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is a pattern.
    pub fn is_pattern(&self) -> bool {
        self.name.contains('*')
    }

    /// The name in names of resources, which have no `*`: `team` for `team-*`.
    pub fn label(&self) -> String {
        let parts: Vec<&str> = self.name.split(['*', '-']).filter(|part| !part.is_empty()).collect();
        match (self.is_pattern(), parts.is_empty()) {
            (false, _) => self.name.clone(),
            (true, true) => "groups".to_owned(),
            (true, false) => parts.join("-"),
        }
    }
}

impl FromStr for SourceGroups {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let pattern = fields(text, "sagemaker").filter(|_| text.contains(['*', '?']));
        let Some(Fields { region, account, resource, .. }) = pattern else {
            let group: GroupArn = text.parse()?;
            let (region, account) = (group.region().clone(), group.account().clone());
            return Ok(Self { text: text.to_owned(), region, account, name: group.name().to_string() });
        };
        let malformed = || {
            let expected = "the ARN of a model package group whose name may have single asterisks for any text; event \
                            patterns have neither ? nor **";
            Malformed::new("a pattern of source groups", expected, text)
        };
        let name = resource.strip_prefix("model-package-group/").ok_or_else(malformed)?;
        let is_name = |text: &str| text.parse::<GroupName>().is_ok();
        if name.contains("**") || !is_name(&name.replace('*', "x")) {
            return Err(malformed());
        }
        Ok(Self { text: text.to_owned(), region: region.parse()?, account: account.parse()?, name: name.to_owned() })
    }
}
text_type!(SourceGroups, text);

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(name: &str) -> Result<SourceGroups, Malformed> {
        format!("arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/{name}").parse()
    }

    #[test]
    fn a_name_has_asterisks_and_nothing_that_event_patterns_lack() {
        for name in ["*", "team-*", "*-eu", "a*c", "Team-*-x*"] {
            assert!(groups(name).unwrap().is_pattern(), "{name}");
        }
        assert!(!groups("team").unwrap().is_pattern());
        for name in ["team-?", "a**b", "-*", "team_*", "a/*", "*-"] {
            assert!(groups(name).is_err(), "{name}");
        }
        assert!("team-*".parse::<SourceGroups>().is_err());
    }

    #[test]
    fn names_of_resources_have_no_asterisk() {
        for (name, label) in
            [("team-*", "team"), ("*", "groups"), ("*-eu*", "eu"), ("a*c", "a-c"), ("Churn-Model", "Churn-Model")]
        {
            assert_eq!(groups(name).unwrap().label(), label);
        }
    }
}
