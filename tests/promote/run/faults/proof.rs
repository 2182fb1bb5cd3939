//! What must hold after a run: how it may end, and what the servers hold.

use anyhow::{Context, Result, ensure};

use crate::support::calls::Call;
use crate::support::{Cloud, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;

/// Exit 0, or 3 with what is unconfirmed, or 1 with side, call, resource and next step; approved only when complete.
pub fn ends_clearly(run: &Run, cloud: &Cloud) -> Result<()> {
    match run.code {
        0 => complete(cloud),
        3 => {
            let document: serde_json::Value = serde_json::from_str(&run.stdout)?;
            let unconfirmed = document["unconfirmed"].as_str().context("the document names nothing unconfirmed")?;
            ensure!(run.stderr.contains(unconfirmed), "nothing unconfirmed on stderr");
            ensure!(run.stderr.to_lowercase().contains("run again"), "no next step");
            all_copied(cloud)
        }
        1 => {
            // The promotion is finished where only other versions could not be followed.
            let document: serde_json::Value = serde_json::from_str(&run.stdout)?;
            if document["outcome"] != "failed" {
                ensure!(document["outcome"] == "promoted", "a failed run printed {document}");
                complete(cloud)?;
            }
            ensure!(run.stderr.lines().filter(|line| line.starts_with("error: ")).count() == 1, "not one error");
            let sides = ["source: ", "target: "].iter().flat_map(|side| run.stderr.match_indices(side));
            let calls = sides.map(|(at, side)| &run.stderr[at + side.len()..]).filter(|call| names_a_call(call));
            ensure!(calls.count() > 0, "neither side, call nor resource is named");
            ensure!(run.stderr.to_lowercase().contains("run again"), "no next step");
            Ok(())
        }
        code => anyhow::bail!("exit code {code}"),
    }
}

/// `s3:HeadObject on s3://bucket/key: …`. Only GetCallerIdentity is about no resource.
fn names_a_call(text: &str) -> bool {
    let service = ["s3:", "sagemaker:", "sts:", "ecr:"].iter().find_map(|service| text.strip_prefix(service));
    let named = service.and_then(|call| call.split_once(" on ")).map(|(_, resource)| resource);
    let names_a_resource = |resource: &str| {
        ["s3://", "arn:aws:", "layer sha256:"].iter().any(|r| resource.starts_with(r))
            || resource.split('/').next().is_some_and(|host| host.contains(".dkr.ecr."))
    };
    text.starts_with("sts:GetCallerIdentity: ") || named.is_some_and(names_a_resource)
}

/// No version is Approved before the last artifact is written.
pub fn approved_last(calls: &[Call]) -> Result<()> {
    let writes = ["CopyObject", "UploadPartCopy", "UploadPart", "CompleteMultipartUpload", "PutObject"];
    let is_artifact = |call: &&Call| call.resource.starts_with(&format!("{SERVING}/{FOLDER}{MODELS}/"));
    let written = calls.iter().filter(|call| writes.contains(&call.operation.as_str())).filter(is_artifact);
    let last = written.map(|call| call.number).max().unwrap_or(0);
    let approvals = calls.iter().filter(|call| call.request["ModelApprovalStatus"] == "Approved");
    let first = approvals.filter(|call| call.operation == "UpdateModelPackage").map(|call| call.number).min();
    ensure!(first.is_none() || last > 0, "approved by call {first:?}, and no artifact was written");
    ensure!(first.is_none_or(|first| first > last), "approved by call {first:?} before call {last}");
    Ok(())
}

/// Exactly one Approved version, every artifact, one record, no open upload.
pub fn complete(cloud: &Cloud) -> Result<()> {
    let versions = promoted(cloud);
    ensure!(versions.len() == 1, "{} versions: {versions:#?}", versions.len());
    ensure!(versions[0]["ModelApprovalStatus"] == "Approved", "not approved: {:#}", versions[0]);
    ensure!(versions[0]["ApprovalDescription"] == "Reviewed by the risk board", "{:#}", versions[0]);
    ensure!(
        versions[0]["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
            == format!("s3://{SERVING}/{FOLDER}{MODELS}/churn/model.tar.gz")
    );
    all_copied(cloud)?;
    let mut expected: Vec<String> = artifacts(cloud).into_iter().map(|artifact| artifact.copy).collect();
    expected.push(format!("{FOLDER}promotion.json"));
    expected.sort();
    // A state that could not be deleted stays until a run that copies again.
    let stays = cloud.calls_of("DeleteObject").iter().any(|call| call.status != 204);
    let serves_runs = |key: &String| key.contains("/_claims/") || stays && key.contains("/_unfinished/");
    let keys: Vec<String> = cloud.keys(SERVING).into_iter().filter(|key| !serves_runs(key)).collect();
    ensure!(keys == expected, "the target holds {keys:?}");
    ensure!(cloud.uploads(SERVING).is_empty(), "open uploads: {:?}", cloud.uploads(SERVING));
    Ok(())
}

/// Every artifact is at the target, with the source's bytes, headers and metadata.
pub fn all_copied(cloud: &Cloud) -> Result<()> {
    for Artifact { bucket, key, copy } in artifacts(cloud) {
        let source = cloud.object(&bucket, &key).context("source")?;
        let copied = cloud.object(SERVING, &copy).with_context(|| format!("no {copy}"))?;
        ensure!(copied.body == source.body, "{copy} differs");
        ensure!(copied.attributes.headers == source.attributes.headers, "{copy} has other headers");
        let mut metadata = copied.attributes.metadata;
        metadata.remove("promote-source-etag");
        ensure!(metadata == source.attributes.metadata, "{copy} has other metadata");
    }
    Ok(())
}

/// An object of the source account, and the key of its copy.
pub struct Artifact {
    pub bucket: String,
    pub key: String,
    pub copy: String,
}

/// Every object of the source account: the worlds of these tests have no other.
pub fn artifacts(cloud: &Cloud) -> Vec<Artifact> {
    let owned: Vec<String> = cloud.locked(|world| {
        let buckets = world.buckets.iter().filter(|(_, bucket)| bucket.owner == SOURCE_ACCOUNT);
        buckets.map(|(name, _)| name.clone()).collect()
    });
    let of = |bucket: String| {
        let keys = cloud.keys(&bucket).into_iter();
        keys.map(move |key| Artifact { copy: format!("{FOLDER}{bucket}/{key}"), bucket: bucket.clone(), key })
    };
    owned.into_iter().flat_map(of).collect()
}

/// The group that was created has the source group's description and tags; only a denial may lose them.
pub fn keeps_the_group(cloud: &Cloud, may_be_lost: bool) -> Result<()> {
    let groups = cloud.groups(TARGET_ACCOUNT);
    ensure!(groups.len() == 1, "{groups:#?}");
    let kept = groups[0]["ModelPackageGroupDescription"] == "Who leaves" && groups[0]["Tags"][0]["Value"] == "growth";
    ensure!(kept || may_be_lost, "the new group lost its description or tags: {}", groups[0]);
    Ok(())
}
