//! Remarks on the grants: who gets in, and which inputs would say more.

use super::policies::role_pattern;
use super::step::Pair;

/// The remarks, each one sentence or two.
pub(super) fn remarks(pairs: &[Pair<'_>]) -> Vec<String> {
    let mut remarks = Vec::new();
    for (inputs, reader) in pairs {
        let (group, account) = (inputs.source_model_package_group_arn.name(), reader.account);
        if inputs.source_model_package_group_arn.is_pattern() && inputs.access.source_role_arn.is_none() {
            remarks.push(format!(
                "AWS RAM shares the groups that match {group} now. With `--source-role-arn`, a role of the source account \
                 finds and reads them, also those that are created later"
            ));
        }
        if reader.role.is_some() {
            continue;
        }
        remarks.push(match reader.stack {
            Some(stack) => format!(
                "{group} can be read by every role of account {account} whose name matches {}: the build's role before it \
                 exists, and any other with such a name. Narrow it with `--build-role-arn` when the stack exists",
                role_pattern(stack)
            ),
            None => format!(
                "{group} can be read by every principal of account {account} whose own policies allow it, because \
                 neither `--stack-name` nor `--build-role-arn` was passed"
            ),
        });
    }
    if let Some((inputs, _)) = pairs.first() {
        if inputs.access.source_bucket_names.is_none() {
            remarks.push("No bucket policy was generated: name the source buckets, which `promote find-latest` lists, with `--source-bucket-names`".to_owned());
        }
        if inputs.access.source_kms_key_arn.is_none() {
            remarks.push(
                "No KMS key is named: pass `--source-kms-key-arn` if the artifacts are encrypted with one".to_owned(),
            );
        }
        if inputs.copies_images()
            && inputs.access.source_role_arn.is_none()
            && inputs.images.image_repository_names.is_none()
        {
            remarks.push(
                "No image repository is named: pass `--image-repository-names` if images are in the source account"
                    .to_owned(),
            );
        }
        if inputs.module.event_bus_name.is_none() {
            remarks.push(
                "No rule forwards the events of the source: name the event bus of the target with `--event-bus-name`"
                    .to_owned(),
            );
        }
    }
    remarks
}
