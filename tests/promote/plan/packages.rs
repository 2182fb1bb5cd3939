//! Packages as people make them, from public documents and repositories: every command over each, and the promoted
//! version compared with the source, leaf by leaf.
//!
//! A file in `packages` has the address of the package's source, the objects of the source account, and the package. It
//! has the members, texts and kinds of URLs of its source; names that a job or a user chooses are made up. `replaced` has
//! the values that `arguments` replace, `outputs` the fields that jobs write to, `kept` the fields whose URLs stay, `left`
//! the members that are not carried over, and `refused` what a refusal says.

mod other_commands;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::plan::lossless::package::leaves;
use crate::run::faults::{AT_ONCE, each};
use crate::support::{Cloud, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT, TestImage};
use crate::world::*;

#[test]
fn every_command_is_right_for_the_package() {
    let packages = packages();
    assert!(packages.len() >= 40, "only {} packages were found", packages.len());
    each(AT_ONCE, &packages, |(name, case)| {
        let source = case["source"].as_str().context("every package names its source")?;
        ensure!(source.starts_with("https://"), "{name}: the source has no address: {source}");
        Package::of(case).promoted_by_every_command().with_context(|| format!("{name}, from {source}"))
    });
}

/// The packages, by the names of their files.
fn packages() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promote/plan/packages");
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let parse = |text: String| serde_json::from_str(&text).expect("JSON");
    let files = files.filter(|file| file.extension().is_some_and(|ext| ext == "json"));
    files.map(|file| (file.display().to_string(), parse(fs::read_to_string(&file).expect("a text")))).collect()
}

/// The registry of the source account.
const REGISTRY: &str = "444333666777.dkr.ecr.eu-central-1.amazonaws.com/";

/// A package in a world of its own.
struct Package<'a> {
    case: &'a Value,
    cloud: Cloud,
    /// The ARN of the source version.
    arn: String,
}

impl<'a> Package<'a> {
    fn of(case: &'a Value) -> Self {
        let cloud = Cloud::start();
        cloud.create_bucket(SERVING, TARGET_ACCOUNT);
        let mut buckets = BTreeSet::new();
        for (bucket, key) in strings(case, "objects").filter_map(|object| object.split_once('/')) {
            if buckets.insert(bucket) {
                cloud.create_bucket(bucket, SOURCE_ACCOUNT);
            }
            cloud.put(bucket, key, format!("content of {bucket}/{key}"));
        }
        for (path, image) in leaves(&case["package"]).into_iter().filter(|(path, _)| path.ends_with(".Image")) {
            let image = image.as_str().unwrap_or_default();
            if let Some((name, tag)) = image.strip_prefix(REGISTRY).and_then(|image| image.split_once(':')) {
                cloud.push(SOURCE_ACCOUNT, name, tag, &TestImage::small(&path));
            }
        }
        let arn = cloud.register(case["package"].clone());
        Self { case, cloud, arn }
    }

    fn promoted_by_every_command(&self) -> Result<()> {
        let found = self.document(&["find-latest", "--group", &self.group()])?;
        ensure!(found["outcome"] == "found" && found["source"]["model_package_arn"] == self.arn.as_str(), "{found:#}");
        if let Some(refusal) = self.case["refused"].as_str() {
            return self.refused(refusal);
        }
        self.examined().context("doctor")?;
        self.in_steps().context("copy-artifacts and register")?;
        let planned = self.full(&["--dry-run"])?;
        ensure!(planned["outcome"] == "planned" && self.versions("by-full").is_empty(), "{planned:#}");
        let promoted = self.full(&[])?;
        ensure!(promoted["outcome"] == "promoted", "{promoted:#}");
        for member in ["not_carried", "references", "request", "source_uri", "warnings"] {
            ensure!(promoted[member] == planned[member], "{member}: {:#} {:#}", planned[member], promoted[member]);
        }
        self.is_the_source(&promoted, "by-full")?;
        let writes = writes(&self.cloud).len();
        let again = self.full(&[])?;
        ensure!(again["outcome"] == "already-promoted" && again["changes"] == json!([]), "{again:#}");
        ensure!(crate::world::writes(&self.cloud).len() == writes, "a repeated run writes nothing");
        self.is_listed_and_verified()?;
        self.promoted_by_a_file().context("plan and apply")?;
        self.withdrawn_and_rolled_back().context("hold, withdraw, release and rollback")
    }

    /// The version, registered by single steps.
    fn in_steps(&self) -> Result<()> {
        let to = ["--model-package", &self.arn, "--target-bucket", SERVING, "--target-group", "by-steps"];
        let step = |verb, more: &[&str]| self.document(&[&[verb], &to[..], &self.arguments(), more].concat());
        let before = writes(&self.cloud).len();
        ensure!(step("copy-artifacts", &["--dry-run"])?["outcome"] == "planned");
        ensure!(writes(&self.cloud).len() == before, "a dry run writes nothing");
        let copied = step("copy-artifacts", &[])?;
        ensure!(copied["outcome"] == "copied", "{copied:#}");
        ensure!(step("register", &["--dry-run"])?["outcome"] == "planned" && self.versions("by-steps").is_empty());
        let registered = step("register", &[])?;
        ensure!(registered["outcome"] == "promoted", "{registered:#}");
        self.is_the_source(&registered, "by-steps")?;
        self.verified("by-steps")
    }

    fn is_listed_and_verified(&self) -> Result<()> {
        let status = self.document(&["status", "--group", &self.group(), "--target-group", "by-full"])?;
        ensure!(status.to_string().contains(&self.arn), "{status:#}");
        self.verified("by-full")
    }

    fn verified(&self, group: &str) -> Result<()> {
        let arn = self.versions(group)[0]["ModelPackageArn"].clone();
        let mut verify = vec!["verify", "--model-package", arn.as_str().unwrap_or_default(), "--deep"];
        if strings(self.case, "objects").next().is_none() {
            // No field of the version names the bucket of its record.
            verify.extend(["--target-bucket", SERVING]);
        }
        let verified = self.document(&verify)?;
        ensure!(verified["outcome"] == "identical", "{verified:#}");
        Ok(())
    }

    fn refused(&self, refusal: &str) -> Result<()> {
        let full = ["full", "--group", &self.group(), "--target-bucket", SERVING];
        let to = ["--model-package", &self.arn, "--target-bucket", SERVING];
        for arguments in [
            &full[..],
            &[&full[..], &["--dry-run"]].concat(),
            &[&["copy-artifacts"], &to[..]].concat(),
            &[&["register"], &to[..]].concat(),
        ] {
            let run = run(&self.cloud, Principal::Both, arguments);
            ensure!(run.code == 1 && run.stderr.contains(refusal), "{arguments:?}: {}", run.stderr);
        }
        ensure!(writes(&self.cloud).is_empty(), "{:?}", writes(&self.cloud));
        Ok(())
    }

    /// Compares the promoted version with the source: a leaf differs only if it refers to what was copied.
    fn is_the_source(&self, document: &Value, group: &str) -> Result<()> {
        let versions = self.versions(group);
        ensure!(versions.len() == 1 && versions[0]["ModelApprovalStatus"] == "Approved", "{versions:#?}");
        let mut arrived: BTreeMap<String, Value> = leaves(&versions[0]).into_iter().collect();
        for (path, value) in leaves(&self.case["package"]) {
            let left = strings(self.case, "left").any(|member| path.starts_with(member));
            if value.as_str().is_some_and(|image| image.starts_with(REGISTRY)) {
                let digest = TestImage::small(&path).digest();
                let image = arrived.remove(&path).with_context(|| format!("{path} is missing"))?;
                arrived.remove(&format!("{path}Digest"));
                let image = image.as_str().unwrap_or_default();
                ensure!(image.contains(TARGET_ACCOUNT) && image.ends_with(&digest), "{path} is {image}");
                continue;
            }
            // Create rejects an empty text, which Describe returns for a key that was not given.
            if left || path == "ModelPackageGroupName" || value == "" {
                continue;
            }
            let now = arrived.remove(&path).with_context(|| format!("{path} is missing"))?;
            self.compare(document, &path, &value, &now).with_context(|| format!("{path}: {value} became {now}"))?;
        }
        let listed = document["not_carried"].as_array().context("a list")?;
        for member in strings(self.case, "left") {
            ensure!(listed.iter().any(|one| one["field"] == member), "{member} is not listed");
            ensure!(arrived.keys().all(|path| !path.starts_with(member)), "{member} is carried over");
        }
        let unasked: Vec<&String> = arrived.keys().filter(|path| !is_added(path)).collect();
        ensure!(unasked.is_empty(), "the version has more than the source: {unasked:?}");
        Ok(())
    }

    fn compare(&self, document: &Value, path: &str, value: &Value, now: &Value) -> Result<()> {
        if path == "ModelCard.ModelCardContent" {
            return self.compare_cards(value, now);
        }
        if let Some(replaced) = self.case["replaced"].get(path) {
            ensure!(replaced == now, "{replaced} is expected");
            return Ok(());
        }
        let is_kept = strings(self.case, "kept").any(|kept| kept == path);
        if is_kept || !is_reference(path, value) {
            ensure!(value == now, "it is no reference");
            let listed = document["not_carried"].as_array().into_iter().flatten();
            let names_s3 = value.as_str().is_some_and(|text| text.contains("s3://"));
            ensure!(!names_s3 || listed.into_iter().any(|one| one["value"] == *value), "it is not listed");
            return Ok(());
        }
        let now = now.as_str().and_then(|url| url.strip_prefix(&format!("s3://{SERVING}/"))).context("no copy")?;
        if strings(self.case, "outputs").any(|output| output == path) {
            ensure!(now.contains("/_outputs/"), "an output is beside the folder");
            return Ok(());
        }
        self.is_copied(value.as_str().unwrap_or_default(), now)
    }

    /// Every object at or below the URL has an equal copy.
    fn is_copied(&self, url: &str, copy: &str) -> Result<()> {
        let (bucket, key) = bucket_and_key(url).context("an S3 URL")?;
        let mut found = 0;
        for (_, object) in strings(self.case, "objects").filter_map(|o| o.split_once('/')).filter(|(b, _)| *b == bucket)
        {
            let Some(below) = object.strip_prefix(&key) else { continue };
            let (source, target) =
                (self.cloud.object(&bucket, object), self.cloud.object(SERVING, &format!("{copy}{below}")));
            let bodies = [source, target].map(|object| object.map(|object| object.body.bytes()));
            ensure!(bodies[0].is_some() && bodies[0] == bodies[1], "{object} has no equal copy");
            found += 1;
        }
        ensure!(found > 0, "nothing was copied");
        Ok(())
    }

    /// A card differs only in URLs of copied objects.
    fn compare_cards(&self, before: &Value, now: &Value) -> Result<()> {
        let parse = |text: &Value| serde_json::from_str::<Value>(text.as_str().unwrap_or_default());
        let (before, now) = (leaves(&parse(before)?), leaves(&parse(now)?));
        ensure!(before.len() == now.len(), "the card has other leaves");
        for ((path, value), (_, now)) in before.iter().zip(&now) {
            let copied = strings(self.case, "objects").any(|object| *value == format!("s3://{object}"));
            let copy = now.as_str().and_then(|url| url.strip_prefix(&format!("s3://{SERVING}/")));
            match (copied, copy) {
                (true, Some(copy)) => self.is_copied(value.as_str().unwrap_or_default(), copy)?,
                (copied, _) => ensure!(!copied && value == now, "{path}: {value} became {now}"),
            }
        }
        Ok(())
    }

    fn versions(&self, group: &str) -> Vec<Value> {
        self.cloud.packages(TARGET_ACCOUNT, group)
    }

    fn group(&self) -> String {
        Cloud::group_arn(self.case["package"]["ModelPackageGroupName"].as_str().unwrap_or_default())
    }

    fn arguments(&self) -> Vec<&str> {
        strings(self.case, "arguments").collect()
    }

    fn full(&self, more: &[&str]) -> Result<Value> {
        let full = ["full", "--group", &self.group(), "--target-bucket", SERVING, "--target-group", "by-full"];
        self.document(&[&full[..], &self.arguments(), more].concat())
    }

    /// The document of a command that succeeds.
    fn document(&self, arguments: &[&str]) -> Result<Value> {
        let run = run(&self.cloud, Principal::Both, &[arguments, &["--output", "json"]].concat());
        ensure!(run.code == 0, "{arguments:?} ended with {}: {}{}", run.code, run.stdout, run.stderr);
        Ok(serde_json::from_str(&run.stdout)?)
    }
}

/// Whether the leaf is to refer to a copy: an S3 member, or a variable that is an S3 URL.
fn is_reference(path: &str, value: &Value) -> bool {
    let member = [".ModelDataUrl", ".S3Uri", ".S3OutputPath"].iter().any(|end| path.ends_with(end));
    let variable = path.contains(".Environment.");
    let url = value.as_str().is_some_and(|text| bucket_and_key(text).is_some());
    url && (member || variable || path == "SamplePayloadUrl")
}

fn bucket_and_key(url: &str) -> Option<(String, String)> {
    let (bucket, key) = match url.strip_prefix("s3://") {
        Some(rest) => rest.split_once('/')?,
        None => url.strip_prefix("https://")?.split_once(".s3.eu-central-1.amazonaws.com/")?,
    };
    Some((bucket.to_owned(), key.replace("%20", " ")))
}

/// What SageMaker and promote add to a version.
fn is_added(path: &str) -> bool {
    let own = ["ModelPackage", "CreationTime", "LastModified", "CreatedBy", "CertifyForMarketplace", "ModelCard."];
    let ends = ["ETag", "ImageDigest", "IsCheckpoint", "SkipModelValidation", "ModelPackageRegistrationType"];
    own.iter().any(|start| path.starts_with(start))
        || ends.iter().any(|end| path.ends_with(end))
        || path.starts_with("CustomerMetadataProperties.promote:")
}

/// The texts of a list in a case.
fn strings<'a>(case: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    case[member].as_array().into_iter().flatten().filter_map(Value::as_str)
}
