//! The names of repositories of container images, and patterns of names.

use std::str::FromStr;

use super::names::list;
use crate::model::arn::{Malformed, text_type};
use crate::model::image::{EcrRegistry, RepositoryName};

/// The longest name of a repository (API reference of CreateRepository).
const LONGEST_NAME: usize = 256;

/// The name of a repository, or a pattern of names as IAM has them: `*` stands for any text, `?` for one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPattern(String);

impl RepositoryPattern {
    /// Whether this is the name of one repository.
    pub fn is_name(&self) -> bool {
        !self.0.contains(['*', '?'])
    }
}

impl FromStr for RepositoryPattern {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let pattern = Self(text.to_owned());
        let is_pattern =
            || text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-/*?".contains(&b));
        // Part of the URI of an image, which is a valid name, and never meant.
        let has_registry = text.split_once('/').is_some_and(|(host, _)| EcrRegistry::of(host).is_some());
        let valid = match pattern.is_name() {
            _ if has_registry => false,
            true => text.parse::<RepositoryName>().is_ok(),
            false => text.len() <= LONGEST_NAME && is_pattern(),
        };
        let form = "the name of a repository in Amazon ECR, such as team/serve, or a pattern, such as team/*";
        if valid { Ok(pattern) } else { Err(Malformed::new("an image repository", form, text)) }
    }
}
text_type!(RepositoryPattern);

/// Repositories, separated by commas or as a JSON list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repositories(Vec<RepositoryPattern>);

impl Repositories {
    /// The names and patterns.
    pub fn patterns(&self) -> &[RepositoryPattern] {
        &self.0
    }
}

impl FromStr for Repositories {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        list(text, "a list of image repositories", r#"serve,team/* or ["serve", "team/*"]"#).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_names_or_patterns_separated_by_commas_or_a_json_list() {
        let repositories =
            |text: &str| text.parse::<Repositories>().map(|list| list.0.iter().map(ToString::to_string).collect());
        let both: Vec<String> = vec!["serve".into(), "team/*".into()];
        assert_eq!(repositories("serve, team/*"), Ok(both.clone()));
        assert_eq!(repositories(r#"["serve","team/*"]"#), Ok(both));
        for wrong in
            ["Serve", "serve:1", "serve,,team/*", "team/", "111222333444.dkr.ecr.eu-west-1.amazonaws.com/serve"]
        {
            assert!(repositories(wrong).is_err(), "{wrong}");
        }
    }
}
