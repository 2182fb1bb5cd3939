//! The repositories of container images: their names, and the ARNs that the permissions of the build need.

use std::str::FromStr;

use super::inputs::Inputs;
use super::names::list;
use crate::model::arn::{AccountId, Malformed, Region, text_type};
use crate::model::image::{EcrRegistry, RepositoryName, RepositoryPrefix};

/// The longest name of a repository (API reference of CreateRepository).
const LONGEST_NAME: usize = 256;

/// The name of a repository, or a pattern of names as IAM has them: `*` stands for any text, `?` for one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPattern(String);

impl RepositoryPattern {
    /// The name or the pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

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

impl Inputs {
    /// Whether the container images of a version are copied.
    pub fn copies_images(&self) -> bool {
        self.images.images == "copy"
    }

    /// The repositories that are named.
    pub fn image_repositories(&self) -> &[RepositoryPattern] {
        self.images.image_repository_names.as_ref().map(Repositories::patterns).unwrap_or_default()
    }

    /// The ARNs of the named repositories that images are read from. They may be of any account and region whose policy
    /// lets the reader in.
    pub(super) fn source_repositories(&self) -> Vec<String> {
        let arn = |name: &RepositoryPattern| format!("arn:{}:ecr:*:*:repository/{name}", self.partition());
        self.image_repositories().iter().map(arn).collect()
    }

    /// The ARNs of the named repositories that images are copied to.
    pub(super) fn target_repositories(&self, account: &AccountId, region: &Region) -> Vec<String> {
        let prefix = self.images.image_repository_prefix.as_ref().map_or("", RepositoryPrefix::as_str);
        let registry = format!("arn:{}:ecr:{region}:{account}:repository/{prefix}", self.partition());
        self.image_repositories().iter().map(|name| format!("{registry}{name}")).collect()
    }

    /// Both lists; the second is empty if the account or the region of the stack is unknown.
    pub(super) fn repositories(&self) -> [Vec<String>; 2] {
        let place = self.access.target_account.as_ref().zip(self.access.target_region.as_ref());
        let target = place.map(|(account, region)| self.target_repositories(account, region));
        [self.source_repositories(), target.unwrap_or_default()]
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
