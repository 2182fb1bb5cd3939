//! Tells what a promotion does with each image, without calls to AWS.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::arn::{AccountId, Region};
use crate::model::field::{Document, Field, each_leaf};
use crate::model::image::{EcrImage, EcrRegistry, ImageUri, Repository, RepositoryPrefix};
use crate::plan::aws_registries::{Provided, provided, source};
use crate::plan::findings::Obstacles;

use super::planned::Kept;

/// The registry that images are copied to.
#[derive(Debug, Clone)]
pub struct ImageRegistry {
    /// The target account.
    pub account: AccountId,
    /// The region of the target group.
    pub region: Region,
    /// The prefix of repositories.
    pub prefix: RepositoryPrefix,
}

/// An image and its ImageDigest, as containers name them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageUse {
    /// The image.
    pub image: String,
    /// The ImageDigest.
    pub digest: Option<String>,
}

/// What a promotion does with an image, before it is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Classified {
    /// It is copied to this repository.
    Copy(EcrImage, Repository),
    /// AWS provides it in the source's region, and this one in the target's.
    Provided(EcrImage, EcrImage),
    /// It is in the target account's registry in the target's region.
    Own(EcrImage),
    /// The target uses it as it is.
    Kept(Kept),
}

/// Lists the container images of a package, each with the fields that name it.
pub fn uses(document: &Document) -> BTreeMap<ImageUse, Vec<Field>> {
    let mut found: BTreeMap<ImageUse, Vec<Field>> = BTreeMap::new();
    each_leaf(document, &mut |field, value| {
        if let (true, Some(image)) = (is_image(field), value.as_str()) {
            let digest = digest_field(field).get(document).and_then(Value::as_str).map(str::to_owned);
            found.entry(ImageUse { image: image.to_owned(), digest }).or_default().push(field.clone());
        }
    });
    found
}

/// Whether a field names the image of a container.
pub(super) fn is_image(field: &Field) -> bool {
    field.pattern().ends_with(".Containers[].Image")
}

/// The field that has the digest of the image.
pub(super) fn digest_field(image: &Field) -> Field {
    image.parent().member("ImageDigest")
}

/// What a promotion does with each image.
pub fn classified(document: &Document, target: &ImageRegistry) -> (BTreeMap<ImageUse, Classified>, Obstacles) {
    let (mut all, mut findings) = (BTreeMap::new(), Obstacles::default());
    for (image, fields) in uses(document) {
        match target.classify(&image) {
            Ok(classified) => drop(all.insert(image, classified)),
            Err((message, hint)) => fields.iter().for_each(|field| findings.add(format!("{field} {message}"), &*hint)),
        }
    }
    (all, findings)
}

const KEEP: &str = "Pass `--images keep` to promote the version with the images of the source";

/// The most characters of the URI of an image (SageMaker API, ContainerImage).
const MAX_URI: usize = 255;
/// `@sha256:` and 64 digits.
const DIGEST_LENGTH: usize = 72;

impl ImageRegistry {
    /// Whether a promotion replaces an image by another one, or cannot promote it.
    pub fn replaces(&self, image: &ImageUse) -> bool {
        match self.classify(image) {
            Ok(Classified::Own(_) | Classified::Kept(_)) => false,
            Ok(Classified::Provided(from, there)) => from != there,
            Ok(Classified::Copy(..)) | Err(_) => true,
        }
    }

    /// What a promotion does with an image.
    ///
    /// # Errors
    /// The image cannot be promoted. A message that continues the name of a field, and the next step.
    fn classify(&self, image: &ImageUse) -> Result<Classified, (String, String)> {
        let refused = |message: String| (message, KEEP.to_owned());
        let uri = image.image.parse().map_err(|error| refused(format!("is malformed: {error}")))?;
        let ImageUri::Ecr(uri) = uri else { return Ok(Classified::Kept(Kept::OtherRegistry)) };
        let registry = &uri.repository.registry;
        if let Some(provided) = provided(&uri) {
            return self.provided(uri, &provided);
        }
        if (registry.account(), registry.region()) == (&self.account, &self.region) {
            return Ok(Classified::Own(uri));
        }
        let own = EcrRegistry::new(&self.account, &self.region)
            .ok_or_else(|| refused(format!("cannot be copied to {}, a region of an unknown partition", self.region)))?;
        let name = format!("{}{}", self.prefix, uri.repository.name).parse();
        let name = name.map_err(|error| {
            let hint = "Choose another `--image-repository-prefix`";
            (format!("cannot be copied: {error}"), hint.to_owned())
        })?;
        let to = Repository { registry: own, name };
        self.refuse_long(&to)?;
        Ok(Classified::Copy(uri, to))
    }

    /// Refuses a repository whose images SageMaker cannot name by their digests.
    fn refuse_long(&self, to: &Repository) -> Result<(), (String, String)> {
        let length = to.to_string().len() + DIGEST_LENGTH;
        if length <= MAX_URI {
            return Ok(());
        }
        let shorter = match self.prefix.as_str() {
            "" => "Register a version with an image of a repository with a shorter name",
            _ => "Choose a shorter `--image-repository-prefix`",
        };
        let message =
            format!("cannot be copied: {to}@sha256:… would have {length} characters; SageMaker accepts {MAX_URI}");
        Err((message, format!("{shorter}. {KEEP}")))
    }

    fn provided(&self, uri: EcrImage, provided: &Provided) -> Result<Classified, (String, String)> {
        if let Some(there) = provided.in_region(&self.region) {
            return Ok(Classified::Provided(uri, there));
        }
        let region = &self.region;
        let message = format!("is {uri}, an image of AWS that is not known to exist in {region} (list: {})", source());
        Err((message, format!("Push the image to a registry of yours and register a version with it. {KEEP}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(prefix: &str) -> ImageRegistry {
        ImageRegistry {
            account: "111222333444".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            prefix: prefix.parse().unwrap(),
        }
    }

    fn classify(image: &str) -> Result<Classified, (String, String)> {
        target("team/").classify(&ImageUse { image: image.into(), digest: None })
    }

    #[test]
    fn an_image_of_another_account_or_region_is_copied_to_a_repository_of_the_same_name_below_the_prefix() {
        for host in ["444333666777.dkr.ecr.eu-central-1.amazonaws.com", "111222333444.dkr.ecr.eu-west-1.amazonaws.com"]
        {
            let copied = classify(&format!("{host}/serve:1"));
            let expected = "111222333444.dkr.ecr.eu-central-1.amazonaws.com/team/serve";
            assert!(matches!(copied, Ok(Classified::Copy(_, to)) if to.to_string() == expected), "{host}");
        }
    }

    #[test]
    fn a_copy_whose_uri_would_be_too_long_for_sagemaker_is_refused_with_its_own_length() {
        let image = |name: usize| ImageUse {
            image: format!("444333666777.dkr.ecr.eu-west-1.amazonaws.com/{}:1", "a".repeat(name)),
            digest: None,
        };
        let host = "111222333444.dkr.ecr.eu-central-1.amazonaws.com/".len();
        for prefix in ["", "team/"] {
            let most = 255 - 72 - host - prefix.len();
            assert!(matches!(target(prefix).classify(&image(most)), Ok(Classified::Copy(..))));
            let (message, hint) = target(prefix).classify(&image(most + 1)).unwrap_err();
            assert!(message.contains("would have 256 characters; SageMaker accepts 255"), "{message}");
            assert_eq!(hint.contains("`--image-repository-prefix`"), !prefix.is_empty(), "{hint}");
            assert!(hint.contains("`--images keep`"), "{hint}");
        }
    }

    #[test]
    fn images_of_the_targets_own_registry_and_of_other_registries_are_kept() {
        for image in [
            "111222333444.dkr.ecr.eu-central-1.amazonaws.com/serve:1",
            "111222333444.dkr-ecr.eu-central-1.on.aws/serve:1",
        ] {
            assert!(matches!(classify(image), Ok(Classified::Own(own)) if own.to_string() == image), "{image}");
        }
        for image in ["public.ecr.aws/x/serve:1", "registry.example.com/serve:1"] {
            assert_eq!(classify(image), Ok(Classified::Kept(Kept::OtherRegistry)), "{image}");
        }
    }

    #[test]
    fn an_image_of_aws_is_that_of_the_targets_region() {
        let same = classify("763104351884.dkr.ecr.eu-central-1.amazonaws.com/pytorch-inference:2.3");
        assert!(matches!(same, Ok(Classified::Provided(from, to)) if from == to));
        let other = classify("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3");
        let expected = "763104351884.dkr.ecr.eu-central-1.amazonaws.com/pytorch-inference:2.3";
        assert!(matches!(other, Ok(Classified::Provided(_, there)) if there.to_string() == expected));
    }

    #[test]
    fn one_image_of_two_containers_is_listed_once_with_both_fields() {
        let document: Document = serde_json::from_str(
            r#"{"InferenceSpecification":{"Containers":[{"Image":"a","Environment":{"Image":"x"}},{"Image":"a"},{"Image":"a","ImageDigest":"d"}]},
                "AdditionalInferenceSpecifications":[{"Containers":[{"Image":"a"}]}]}"#,
        )
        .unwrap();
        let counts: Vec<usize> = uses(&document).values().map(Vec::len).collect();
        assert_eq!(counts, [3, 1]);
    }
}
