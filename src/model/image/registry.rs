//! The private registries of Amazon ECR and their repositories.

use std::fmt;
use std::str::FromStr;

use crate::model::arn::{AccountId, Malformed, Region, partition_of, text_type};

/// The private registry of an account in a region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EcrRegistry {
    /// The host as it is written, which names the account and the region. A registry has up to three.
    host: String,
    account: AccountId,
    region: Region,
}

/// The suffixes of hosts, by partition (botocore, endpoints.json).
const SUFFIXES: [(&str, &str); 8] = [
    ("aws", "amazonaws.com"),
    ("aws-us-gov", "amazonaws.com"),
    ("aws-cn", "amazonaws.com.cn"),
    ("aws-iso", "c2s.ic.gov"),
    ("aws-iso-b", "sc2s.sgov.gov"),
    ("aws-iso-e", "cloud.adc-e.uk"),
    ("aws-iso-f", "csp.hci.ic.gov"),
    ("aws-eusc", "amazonaws.eu"),
];

/// The suffixes of dual-stack hosts.
const DUAL_STACK: [&str; 2] = ["on.aws", "on.amazonwebservices.com.cn"];

impl EcrRegistry {
    /// The registry with this host, if it is one of Amazon ECR.
    pub fn of(host: &str) -> Option<Self> {
        let (account, rest) = host.split_once('.')?;
        let account = account.parse().ok()?;
        let plain = ["dkr.ecr.", "dkr.ecr-fips."].iter().find_map(|kind| rest.strip_prefix(kind));
        let dual = ["dkr-ecr.", "dkr-ecr-fips."].iter().find_map(|kind| rest.strip_prefix(kind));
        let (region, suffix) = plain.or(dual)?.split_once('.')?;
        let known = match plain {
            Some(_) => SUFFIXES.iter().any(|(_, known)| *known == suffix),
            None => DUAL_STACK.contains(&suffix),
        };
        known.then_some(())?;
        Some(Self { host: host.to_owned(), account, region: region.parse().ok()? })
    }

    /// The registry of an account in a region, with the host that works everywhere; nothing if the partition of the
    /// region is unknown.
    pub fn new(account: &AccountId, region: &Region) -> Option<Self> {
        let partition = partition_of(region.as_str());
        let (_, suffix) = SUFFIXES.iter().find(|(known, _)| *known == partition)?;
        let host = format!("{account}.dkr.ecr.{region}.{suffix}");
        Some(Self { host, account: account.clone(), region: region.clone() })
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The region.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The host as it is written.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// The name of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(String);

impl FromStr for RepositoryName {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        if (2..=256).contains(&text.len()) && text.split('/').all(is_component) {
            Ok(Self(text.to_owned()))
        } else {
            let form = "2 to 256 lower-case letters, digits, hyphens, underscores, periods and slashes";
            Err(Malformed::new("the name of a repository in Amazon ECR", form, text))
        }
    }
}
text_type!(RepositoryName);

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` (API reference of CreateRepository).
fn is_component(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let separator = |text: &str| matches!(text, "." | "_" | "__") || text.bytes().all(|b| b == b'-');
    let ends = text.bytes().next().is_some_and(word) && text.bytes().last().is_some_and(word);
    let between = text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).filter(|part| !part.is_empty());
    ends && between.into_iter().all(separator)
}

/// The beginning of the names of repositories that images are copied to, such as `models/`. Empty by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryPrefix(String);

impl FromStr for RepositoryPrefix {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        if format!("{text}ab").parse::<RepositoryName>().is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            let form = "lower-case letters, digits, hyphens, underscores, periods and slashes, such as models/";
            Err(Malformed::new("a prefix of repository names in Amazon ECR", form, text))
        }
    }
}
text_type!(RepositoryPrefix);

/// A repository of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    /// The registry.
    pub registry: EcrRegistry,
    /// The name.
    pub name: RepositoryName,
}

impl Repository {
    /// The repository with this ARN.
    pub fn of_arn(arn: &str) -> Option<Self> {
        let mut fields = arn.splitn(6, ':').skip(2);
        let (service, region, account) = (fields.next()?, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let name = fields.next()?.strip_prefix("repository/")?.parse().ok()?;
        let registry = EcrRegistry::new(&account, &region).filter(|_| service == "ecr")?;
        Some(Self { registry, name })
    }

    /// The ARN.
    pub fn arn(&self) -> String {
        let (region, account) = (self.registry.region(), self.registry.account());
        format!("arn:{}:ecr:{region}:{account}:repository/{}", partition_of(region.as_str()), self.name)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry.host, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_registry_has_the_suffix_of_its_partition() {
        let account: AccountId = "111222333444".parse().unwrap();
        for (region, host) in [
            ("eu-central-1", "111222333444.dkr.ecr.eu-central-1.amazonaws.com"),
            ("us-gov-west-1", "111222333444.dkr.ecr.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "111222333444.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ] {
            let registry = EcrRegistry::new(&account, &region.parse().unwrap()).unwrap();
            assert_eq!(registry.host(), host);
            assert_eq!(EcrRegistry::of(host).unwrap(), registry);
        }
    }

    #[test]
    fn the_names_of_repositories_are_those_that_ecr_accepts() {
        for name in ["ab", "team/serve", "a.b", "a_b", "a__b", "a---b", "a1/b2/c3"] {
            assert!(name.parse::<RepositoryName>().is_ok(), "{name}");
        }
        for name in ["", "a", "A/b", "a/", "/a", "a//b", "a..b", "a___b", "a._b", "-ab", "ab-", "a b", "ä/b"] {
            assert!(name.parse::<RepositoryName>().is_err(), "{name}");
        }
    }
}
