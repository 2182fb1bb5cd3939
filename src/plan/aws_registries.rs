//! The container images that AWS provides: SageMaker in every account can pull them, from another account in each
//! region.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::arn::{AccountId, Region};
use crate::model::image::{EcrImage, EcrRegistry, ImageUri, Repository};

/// The accounts, from the image configuration of the SageMaker Python SDK; `tools/registries.py` writes the file.
static KNOWN: LazyLock<KnownRegistries> = LazyLock::new(|| {
    let written: RegistriesFile =
        serde_json::from_str(include_str!("aws_registries.json")).expect("the file is tested");
    KnownRegistries {
        accounts: written.tables.iter().flat_map(|table| table.accounts.values().cloned()).collect(),
        written,
    }
});

struct KnownRegistries {
    accounts: HashSet<AccountId>,
    written: RegistriesFile,
}

#[derive(Deserialize)]
struct RegistriesFile {
    package: String,
    date: String,
    tables: Vec<Table>,
}

/// The accounts that have these repositories, by region.
#[derive(Deserialize)]
struct Table {
    repositories: Vec<String>,
    accounts: HashMap<Region, AccountId>,
}

/// An image that AWS provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provided {
    image: EcrImage,
}

/// The image, if AWS provides it: it is in ECR of one of the known accounts.
pub fn provided(image: &EcrImage) -> Option<Provided> {
    let known = KNOWN.accounts.contains(image.repository.registry.account());
    known.then(|| Provided { image: image.clone() })
}

/// Whether AWS provides the image.
pub(super) fn is_provided(image: &str) -> bool {
    matches!(image.parse(), Ok(ImageUri::Ecr(image)) if provided(&image).is_some())
}

/// The package that the accounts are from, with its version and date.
pub fn source() -> String {
    format!("{} of {}", KNOWN.written.package, KNOWN.written.date)
}

impl Provided {
    /// The same repository and tag in a region, or nothing if no account there is known to have it. The digest is
    /// dropped if there is a tag, since AWS does not promise that a tag has one digest in all regions.
    pub fn in_region(&self, region: &Region) -> Option<EcrImage> {
        let EcrImage { repository, tag, digest } = &self.image;
        if repository.registry.region() == region {
            return Some(self.image.clone());
        }
        let registry = EcrRegistry::new(self.account_in(region)?, region)?;
        let repository = Repository { registry, name: repository.name.clone() };
        let digest = if tag.is_some() { None } else { digest.clone() };
        Some(EcrImage { repository, tag: tag.clone(), digest })
    }

    /// The account that has the repository in a region. A repository that is not listed is where the listed ones of the
    /// same account are, if those have one account in that region.
    fn account_in(&self, region: &Region) -> Option<&'static AccountId> {
        let (registry, name) = (&self.image.repository.registry, self.image.repository.name.as_str());
        let tables = &KNOWN.written.tables;
        let listed = tables.iter().find(|table| {
            table.repositories.iter().any(|known| known == name)
                && table.accounts.values().any(|account| account == registry.account())
        });
        if let Some(table) = listed {
            return table.accounts.get(region);
        }
        let alike = tables.iter().filter(|table| table.accounts.get(registry.region()) == Some(registry.account()));
        let mut accounts = alike.filter_map(|table| table.accounts.get(region));
        let first = accounts.next()?;
        accounts.all(|account| account == first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// The image as it is in another region.
    fn moved(image: &str, region: &str) -> Option<String> {
        let image = image.parse::<ImageUri>().unwrap().ecr().expect("it is in ECR");
        let moved = provided(&image).expect("AWS provides it").in_region(&region.parse().unwrap());
        moved.map(|image| image.to_string())
    }

    #[test]
    fn images_of_aws_are_told_from_others() {
        for (image, provided) in [
            ("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3", true),
            ("683313688378.dkr.ecr-fips.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", true),
            ("111222333444.dkr.ecr.us-east-1.amazonaws.com/serve:1", false),
            ("763104351884/pytorch", false),
            ("", false),
        ] {
            assert_eq!(is_provided(image), provided, "{image}");
        }
    }

    #[test]
    fn an_image_of_aws_is_in_another_account_in_another_region() {
        for (image, region, expected) in [
            (
                "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3",
                "af-south-1",
                "626614931356.dkr.ecr.af-south-1.amazonaws.com/pytorch-inference:2.3",
            ),
            (
                "683313688378.dkr.ecr-fips.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
                "eu-central-1",
                "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            ),
            (
                "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3",
                "cn-north-1",
                "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/pytorch-inference:2.3",
            ),
        ] {
            assert_eq!(moved(image, region).as_deref(), Some(expected));
        }
    }

    #[test]
    fn another_region_keeps_the_tag_of_an_image_of_aws_and_drops_the_digest() {
        let image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference";
        let there = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference";
        let both = format!("{image}:2.3@{DIGEST}");
        assert_eq!(moved(&both, "eu-west-1").unwrap(), format!("{there}:2.3"));
        assert_eq!(moved(&both, "us-east-1").unwrap(), both);
        assert_eq!(moved(&format!("{image}@{DIGEST}"), "eu-west-1").unwrap(), format!("{there}@{DIGEST}"));
        assert_eq!(moved(image, "eu-west-1").unwrap(), there);
    }

    #[test]
    fn a_new_repository_of_a_known_account_is_looked_for_beside_the_others_of_that_account() {
        let image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/a-new-framework:1";
        let there = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/a-new-framework:1";
        assert_eq!(moved(image, "eu-west-1").as_deref(), Some(there));
    }

    #[test]
    fn a_region_where_aws_does_not_provide_the_image_has_no_uri() {
        assert_eq!(moved("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3", "us-east-9"), None);
        assert_eq!(
            moved("763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference:1", "eu-central-9"),
            None
        );
    }

    #[test]
    fn every_listed_region_has_a_registry_and_no_repository_has_two_accounts_there() {
        let mut seen = HashSet::new();
        for table in &KNOWN.written.tables {
            for (region, account) in &table.accounts {
                assert!(EcrRegistry::new(account, region).is_some(), "{region}");
                for repository in &table.repositories {
                    assert!(seen.insert((repository, region)), "{repository} {region}");
                }
            }
        }
        assert!(seen.len() > 2000, "{}", seen.len());
        assert!(source().starts_with("sagemaker-core "), "{}", source());
    }
}
