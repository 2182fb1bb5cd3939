//! The URI of an image in ECR.

use std::str::FromStr;

use super::names::only;
use crate::model::arn::{AccountId, Malformed, Region, text_type};

/// The URI of an image in ECR, with a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildImageUri {
    text: String,
    account: AccountId,
    region: Region,
    repository: String,
    tag: String,
}

impl BuildImageUri {
    /// The account of the registry.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
    /// The region of the registry.
    pub fn region(&self) -> &Region {
        &self.region
    }
    /// The repository in the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }
    /// The image's tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

impl FromStr for BuildImageUri {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(
                "the URI of a tagged image in Amazon ECR",
                "<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag> (not a digest: the pipeline looks up a tag)",
                text,
            )
        };
        let (host, path) = text.split_once('/').ok_or_else(malformed)?;
        let host = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com").ok_or_else(malformed)?;
        let (account, region) = host.split_once(".dkr.ecr.").ok_or_else(malformed)?;
        let (repository, tag) = path.rsplit_once(':').ok_or_else(malformed)?;
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        let named = (2..=256).contains(&repository.len()) && repository.chars().all(lower);
        if !named || tag.is_empty() || tag.len() > 128 || !only(tag, "._-") {
            return Err(malformed());
        }
        Ok(Self {
            text: text.to_owned(),
            account: account.parse().map_err(|_| malformed())?,
            region: region.parse().map_err(|_| malformed())?,
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        })
    }
}
text_type!(BuildImageUri, text);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_uri_has_a_registry_a_repository_and_a_tag() {
        let image: BuildImageUri = "111222333444.dkr.ecr.eu-central-1.amazonaws.com/tools/promote:1.2".parse().unwrap();
        assert_eq!((image.repository(), image.tag()), ("tools/promote", "1.2"));
        assert_eq!((image.account().as_str(), image.region().as_str()), ("111222333444", "eu-central-1"));
        let chinese = "111222333444.dkr.ecr.cn-north-1.amazonaws.com.cn/promote:1".parse::<BuildImageUri>();
        assert!(chinese.is_ok());
        for text in
            ["promote:1", "111222333444.dkr.ecr.eu-central-1.amazonaws.com/promote", "public.ecr.aws/x/promote:1"]
        {
            assert!(text.parse::<BuildImageUri>().is_err(), "{text}");
        }
        let digest = "111222333444.dkr.ecr.eu-central-1.amazonaws.com/promote@sha256:aa";
        assert!(digest.parse::<BuildImageUri>().is_err());
    }
}
