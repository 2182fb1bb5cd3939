//! Each permission of the table is removed alone: doctor names it, and every other row stays as it is.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::*;
use crate::run::faults::{AT_ONCE, each};

/// A promotion to ask for.
#[derive(Debug, Clone, Copy)]
struct Promotion {
    /// Whether each account has its own principal.
    two: bool,
    /// Whether the target group and the repositories exist, with a version that was promoted before.
    exists: bool,
}

/// The permissions that are only needed to create the target group and the repositories.
const CREATES: [&str; 5] = [
    "sagemaker:CreateModelPackageGroup",
    "sagemaker:AddTags",
    "sagemaker:ListTags",
    "ecr:CreateRepository",
    "ecr:DescribeRepositories",
];

/// The requests of doctor that write and may succeed: the upload to S3 that it aborts, and the start of an upload to
/// each repository, which Amazon ECR drops by itself.
const ANSWERED: [&str; 5] =
    ["CreateMultipartUpload", "UploadPart", "AbortMultipartUpload", "InitiateLayerUpload", "InitiateLayerUpload"];

/// The rows of a report: the side, the action and the resource of each, with the rest of it.
type Rows = BTreeMap<[String; 3], Value>;

impl Promotion {
    fn flags(self) -> (Principal, &'static [&'static str]) {
        if self.two { (Principal::Stranger, &TWO_PRINCIPALS) } else { (Principal::Both, &[]) }
    }

    /// The accounts before the promotion.
    fn cloud(self) -> Cloud {
        let cloud = encrypted();
        if self.exists {
            let (who, principals) = self.flags();
            let group = Cloud::group_arn(GROUP);
            let full = ["full", "--group", &group, "--target-bucket", SERVING, "--sign-key", SIGN_KEY];
            let run = run(&cloud, who, &[&full[..], &["--images", "copy", "--output", "json"], principals].concat());
            assert_eq!(run.document()["outcome"], "promoted");
            cloud.register(package());
        }
        cloud
    }

    fn doctor(self, cloud: &Cloud) -> Run {
        let (who, principals) = self.flags();
        let group = Cloud::group_arn(GROUP);
        let doctor = ["doctor", "--group", &group, "--target-bucket", SERVING, "--sign-key", SIGN_KEY];
        run(cloud, who, &[&doctor[..], &["--images", "copy", "--output", "json"], principals].concat())
    }

    /// The principal that needs a permission on a resource.
    fn principal(self, resource: &str) -> Principal {
        match (self.two, side(resource)) {
            (false, _) => Principal::Both,
            (true, "source") => Principal::Source,
            (true, _) => Principal::Target,
        }
    }

    /// Whether the promotion needs a permission.
    fn needs(self, action: &str) -> bool {
        !self.exists || !CREATES.contains(&action)
    }
}

fn rows(run: &Run) -> Rows {
    let text = |check: &Value, member: &str| check[member].as_str().unwrap_or_default().to_owned();
    let row = |mut check: Value| {
        let key = ["side", "action", "resource"].map(|member| text(&check, member));
        let members = check.as_object_mut().expect("a row");
        members.retain(|name, _| !["side", "action", "resource"].contains(&name.as_str()));
        (key, check)
    };
    checks(run).into_iter().map(row).collect()
}

#[test]
fn each_permission_that_is_removed_alone_changes_its_own_row_only_and_nothing_is_written() {
    for (two, exists) in [(false, false), (false, true), (true, false), (true, true)] {
        let promotion = Promotion { two, exists };
        let all = rows(&promotion.doctor(&promotion.cloud()));
        assert!(all.len() > 35, "{promotion:?}: {all:#?}");
        each(AT_ONCE, &permissions(), |(action, resource)| {
            removed(promotion, &all, (action, resource))
                .with_context(|| format!("{promotion:?}: {action} on {resource}"))
        });
    }
}

/// Compares the report without a permission with that of all permissions.
fn removed(promotion: Promotion, all: &Rows, (action, resource): (&str, &str)) -> Result<()> {
    let cloud = promotion.cloud();
    cloud.deny(promotion.principal(resource), action, resource);
    let (state, calls) = (state(&cloud), cloud.calls().len());
    let run = promotion.doctor(&cloud);
    ensure!(answered(&cloud, calls)?, "{:?}", cloud.calls().split_off(calls));
    ensure!(self::state(&cloud) == state, "something was written");
    let found = rows(&run);
    if !promotion.needs(action) || action == NOT_TESTABLE {
        ensure!(found == *all, "{}", run.stdout);
        return Ok(());
    }
    let denied: BTreeSet<[&str; 2]> = of_result(&found, "denied").map(|[side, action, _]| [side, action]).collect();
    ensure!(denied == BTreeSet::from([[side(resource), action]]), "denied: {denied:?}");
    let code = match (is_optional(action, resource), promotion.exists) {
        (false, _) => 1,
        // The repositories do not exist, and no request tests that they can be created.
        (true, false) => 3,
        (true, true) => 0,
    };
    ensure!(run.code == code, "exit code {}", run.code);
    let changed = all.keys().chain(found.keys()).filter(|key| all.get(*key) != found.get(*key));
    for key in changed {
        let now = found.get(key).map(|row| row["result"].clone());
        let is_own = key[0] == side(resource) && key[1] == action;
        let is_untested = now.as_ref().is_none_or(|result| result == "not-testable");
        let is_ok_without =
            [action, key[1].as_str()] == ["sagemaker:ListTags", "sagemaker:AddTags"] && found[key]["optional"] == true;
        let expected = is_own || is_ok_without || is_untested && is_hidden((action, side(resource)), key);
        ensure!(expected, "{key:?}: {:?} instead of {:?}", found.get(key), all.get(key));
    }
    Ok(())
}

/// The rows with a result.
fn of_result<'a>(rows: &'a Rows, result: &str) -> impl Iterator<Item = [&'a str; 3]> {
    rows.iter().filter(move |(_, row)| row["result"] == result).map(|(key, _)| key.each_ref().map(String::as_str))
}

/// Whether a row cannot be tested without a permission of a side: the same request needs it, or it tells what to ask for.
fn is_hidden((removed, at): (&str, &str), [side, action, resource]: &[String; 3]) -> bool {
    let names_version = ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"].contains(&removed);
    let of_source = side == "source";
    match (removed, at) {
        _ if action == "plan" => !OPTIONAL.contains(&(removed, at)),
        (_, "source") if names_version => {
            let of_version = ["package", "sagemaker:DescribeModelPackage", "s3:GetObject", "s3:ListBucket"];
            action.starts_with("ecr:") || of_source && of_version.contains(&action.as_str())
        }
        ("s3:ListBucket", "source") => of_source && action == "s3:GetObject" && resource.ends_with('/'),
        ("ecr:BatchGetImage", "source") => action == "ecr:GetDownloadUrlForLayer",
        ("ecr:BatchGetImage", _) => ["ecr:CreateRepository", "ecr:DescribeRepositories"].contains(&action.as_str()),
        ("sagemaker:DescribeModelPackageGroup", "target") => CREATES.contains(&action.as_str()),
        // One request asks for both.
        ("sagemaker:CreateModelPackageGroup", _) => action == "sagemaker:AddTags",
        ("sagemaker:AddTags", _) => action == "sagemaker:CreateModelPackageGroup",
        _ => false,
    }
}

/// Whether doctor has sent no request with success but those that leave nothing. `before`: the number of calls before it.
fn answered(cloud: &Cloud, before: usize) -> Result<bool> {
    let reads = ["Get", "Head", "List", "Describe", "BatchGet", "BatchCheck", "DownloadLayer"];
    let calls = cloud.calls().split_off(before);
    let changing = calls.iter().filter(|call| !reads.iter().any(|verb| call.operation.starts_with(verb)));
    let mut allowed = ANSWERED.to_vec();
    for call in changing.filter(|call| call.status < 300) {
        let at = allowed.iter().position(|one| *one == call.operation).context(call.operation.clone())?;
        allowed.remove(at);
    }
    let left = |operation: &str| allowed.contains(&operation);
    Ok(left("CreateMultipartUpload") == left("AbortMultipartUpload"))
}

/// All that a promotion writes to.
fn state(cloud: &Cloud) -> impl PartialEq + use<> {
    let images = ["serve", "llm"].map(|name| cloud.repository(TARGET_ACCOUNT, name).map(|found| found.images.len()));
    let registry = (cloud.groups(TARGET_ACCOUNT), promoted(cloud), cloud.packages(SOURCE_ACCOUNT, GROUP));
    (cloud.keys(SERVING), cloud.keys(MODELS), cloud.uploads(SERVING).len(), registry, images)
}
