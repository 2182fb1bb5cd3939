//! The accounts whose container images AWS provides: SageMaker in every account can pull them.

/// The accounts, from the image configuration of the SageMaker Python SDK. `tools/registries.py` writes the list.
const ACCOUNTS: &str = include_str!("aws_registries.txt");

/// Whether AWS provides the image: it is in ECR of one of these accounts.
pub(super) fn is_provided(image: &str) -> bool {
    image.split_once(".dkr.ecr").is_some_and(|(account, _)| ACCOUNTS.split_whitespace().any(|one| one == account))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
