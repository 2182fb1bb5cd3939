//! Container images: their URIs, repositories and digests.

mod digest;
mod registry;

use std::fmt;
use std::str::FromStr;

use crate::model::arn::{Malformed, as_text};

pub use digest::Digest;
pub use registry::{EcrRegistry, Repository, RepositoryName, RepositoryPrefix};

/// The URI of a container image.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ImageUri {
    /// An image in a private registry of Amazon ECR.
    Ecr(EcrImage),
    /// An image in a public registry, or in a Docker registry that SageMaker reaches through a VPC.
    Other(String),
}

/// An image in a private registry of Amazon ECR.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EcrImage {
    /// The repository.
    pub repository: Repository,
    /// The tag.
    pub tag: Option<String>,
    /// The digest. It takes precedence over the tag.
    pub digest: Option<Digest>,
}

impl EcrImage {
    /// The image of a repository with this digest.
    pub fn of(repository: Repository, digest: Digest) -> Self {
        Self { repository, tag: None, digest: Some(digest) }
    }

    /// The tag that a URI without tag and digest means.
    pub fn effective_tag(&self) -> Option<&str> {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => Some(tag),
            (None, None) => Some("latest"),
            (None, Some(_)) => None,
        }
    }
}

impl FromStr for ImageUri {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let Some((registry, rest)) = text.split_once('/').and_then(|(host, rest)| Some((EcrRegistry::of(host)?, rest)))
        else {
            return Ok(Self::Other(text.to_owned()));
        };
        let form = "<registry>/<repository>[:<tag>][@sha256:<64 hexadecimal digits>]";
        let malformed = || Malformed::new("the URI of an image in Amazon ECR", form, text);
        let (name, digest) = match rest.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse().map_err(|_| malformed())?)),
            None => (rest, None),
        };
        let (name, tag) = match name.split_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (name, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(malformed());
        }
        let name = name.parse().map_err(|_| malformed())?;
        let tag = tag.map(str::to_owned);
        Ok(Self::Ecr(EcrImage { repository: Repository { registry, name }, tag, digest }))
    }
}

/// Whether a text is a tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}` (OCI distribution specification).
fn is_tag(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    (1..=128).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with(['.', '-'])
}

as_text!(ImageUri);

impl ImageUri {
    /// The image, if it is in Amazon ECR.
    pub fn ecr(self) -> Option<EcrImage> {
        match self {
            Self::Ecr(image) => Some(image),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for ImageUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ecr(image) => image.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for EcrImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repository.fmt(f)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn the_uri_of_an_image_in_ecr_is_read_and_written_unchanged() {
        for (host, region) in [
            ("444333666777.dkr.ecr.eu-central-1.amazonaws.com", "eu-central-1"),
            ("444333666777.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("444333666777.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("444333666777.dkr-ecr.eu-west-1.on.aws", "eu-west-1"),
            ("444333666777.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
        ] {
            for rest in ["serve", "team/serve:1.0", &format!("serve@sha256:{HEX}"), &format!("a/b:c@sha256:{HEX}")] {
                let text = format!("{host}/{rest}");
                let image = text.parse::<ImageUri>().unwrap().ecr().unwrap();
                assert_eq!(image.to_string(), text);
                let registry = &image.repository.registry;
                assert_eq!((registry.account().as_str(), registry.region().as_str()), ("444333666777", region));
            }
        }
    }

    #[test]
    fn images_of_other_registries_are_kept_as_they_are_written() {
        for text in [
            "serve:1",
            "public.ecr.aws/docker/library/python:3.12",
            "registry.example.com:5000/team/serve:1",
            "registry.example.com/a.dkr.ecr.eu-west-1/serve",
            "44433366677.dkr.ecr.eu-west-1.amazonaws.com/serve",
            "",
        ] {
            assert_eq!(text.parse::<ImageUri>().unwrap(), ImageUri::Other(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_malformed_name_tag_or_digest_in_ecr_is_refused() {
        for rest in [
            "",
            "A",
            "a//b",
            "ab:",
            "ab:-x",
            "ab@sha512:00",
            "ab@sha256:00",
            &format!("ab@sha256:{}", HEX.to_uppercase()),
        ] {
            let text = format!("444333666777.dkr.ecr.eu-west-1.amazonaws.com/{rest}");
            assert!(text.parse::<ImageUri>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_image_without_tag_and_digest_means_the_tag_latest() {
        let tag = |rest: &str| {
            let text = format!("444333666777.dkr.ecr.eu-west-1.amazonaws.com/{rest}");
            let image = text.parse::<ImageUri>().unwrap().ecr().unwrap();
            image.effective_tag().map(str::to_owned)
        };
        assert_eq!(tag("ab").as_deref(), Some("latest"));
        assert_eq!(tag("ab:1").as_deref(), Some("1"));
        assert_eq!(tag(&format!("ab@sha256:{HEX}")), None);
    }
}
