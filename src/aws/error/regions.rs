//! The AWS Regions that promote knows. Only a hint depends on them: a Region that is newer works as any other.

/// The AWS Regions of all partitions (AWS General Reference, "AWS Regions"; endpoints.json of the SDKs for the others).
const REGIONS: [&str; 46] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// The lowest Jaro-Winkler similarity, of 1, with which a hint names a Region.
const SIMILAR: f64 = 0.9;

/// Whether promote knows the Region.
pub(super) fn is_known(region: &str) -> bool {
    REGIONS.contains(&region)
}

/// The known Region that is most similar to the name, if one is similar at all.
pub(super) fn similar(name: &str) -> Option<&'static str> {
    let rated = REGIONS.iter().map(|region| (strsim::jaro_winkler(region, name), *region));
    let (similarity, region) = rated.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (similarity >= SIMILAR).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_with_a_typing_error_is_similar_to_the_one_that_was_meant() {
        for (name, meant) in [
            ("eu-wst-1", Some("eu-west-1")),
            ("eu-cental-1", Some("eu-central-1")),
            ("us-esat-2", Some("us-east-2")),
            ("us-west2", Some("us-west-2")),
            ("frankfurt", None),
            ("", None),
        ] {
            assert_eq!((is_known(name), similar(name)), (false, meant), "{name}");
        }
        assert!(REGIONS.iter().all(|region| is_known(region) && similar(region) == Some(region)));
    }
}
