//! A package with every member that AWS accepts together, made from the table of shapes: a member that is added there
//! is in this package too. Each S3 member refers to an object whose key is the member's path.

use serde_json::{Map, Value, json};

use crate::support::Cloud;
use crate::world::{GROUP, MODELS};

const SHAPES: &str = include_str!("../../../../src/schema/shapes.json");

/// The key that the source package, its validation output and its validation volumes are encrypted with.
pub const SOURCE_KEY: &str = "arn:aws:kms:eu-central-1:444333666777:key/of-the-source";
/// A URL in the model card that nothing else refers to.
pub const CARD_LINK: &str = "s3://elsewhere/evaluation/notebook.ipynb";
/// What an environment variable of each container refers to.
const CODE: &str = "code/submit.tar.gz";

/// What a version is deployed from. The first excludes the others, and so do the two members of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployed {
    Containers,
    AlgorithmWithUrl,
    AlgorithmWithSource,
}

impl Deployed {
    pub const ALL: [Self; 3] = [Self::Containers, Self::AlgorithmWithUrl, Self::AlgorithmWithSource];
}

/// Members of Create that a version of a group cannot have, or that are not the package's own.
const ABSENT: [&str; 5] = ["ModelPackageName", "CertifyForMarketplace", "Tags", "ClientToken", "ManagedStorageType"];

/// The description of the package; everything that it refers to is put into the source bucket.
pub fn complete(cloud: &Cloud, deployed: Deployed) -> Value {
    let shapes = serde_json::from_str(SHAPES).expect("the table is JSON");
    let filler = Filler { cloud, shapes, deployed };
    cloud.put(MODELS, CODE, "code");
    let mut package = filler.value("CreateModelPackageInput", "");
    package["ModelPackageGroupName"] = json!(GROUP);
    package["ApprovalDescription"] = json!("Reviewed by the risk board: ok");
    package
}

/// Every leaf of a document by its path.
pub fn leaves(document: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    collect(document, "", &mut found);
    found
}

fn collect(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| collect(value, &below(path, name), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(item, &format!("{path}[{index}]"), found));
        }
        leaf => found.push((path.to_owned(), leaf.clone())),
    }
}

/// A path with `[]` for every index.
pub fn pattern(path: &str) -> String {
    path.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect::<Vec<_>>().join("[]")
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

struct Filler<'a> {
    cloud: &'a Cloud,
    shapes: Value,
    deployed: Deployed,
}

impl Filler<'_> {
    fn value(&self, shape: &str, path: &str) -> Value {
        let found = &self.shapes[shape];
        match found["type"].as_str().expect("every shape has a type") {
            "structure" => self.structure(&found["members"], path),
            "list" => {
                let member = found["member"].as_str().expect("a list has members");
                let several = ["AdditionalInferenceSpecifications", "ModelPackageContainerDefinitionList"];
                let count = if several.contains(&shape) { 2 } else { 1 };
                (0..count).map(|index| self.value(member, &format!("{path}[{index}]"))).collect()
            }
            "map" if shape == "CustomerMetadataMap" => json!({"team": "growth", "a.b:c/d=e+f-g@h": "日本 ü", "n": "1"}),
            "map" => json!({"LEVEL": "info", "SAGEMAKER_SUBMIT_DIRECTORY": format!("s3://{MODELS}/{CODE}")}),
            "boolean" => json!(true),
            "integer" => json!(2),
            "string" => json!(self.text(shape, path)),
            other => panic!("{shape} is of the type {other}, which this test does not know"),
        }
    }

    fn structure(&self, members: &Value, path: &str) -> Value {
        let members = members.as_object().expect("a structure has members");
        let present = members.iter().filter(|(name, _)| !self.is_absent(path, name));
        let filled = present.map(|(name, shape)| {
            let shape = shape.as_str().expect("a member has a shape");
            (name.clone(), self.value(shape, &below(path, name)))
        });
        Value::Object(filled.collect::<Map<String, Value>>())
    }

    /// ModelDataUrl and ModelDataSource exclude each other, so containers take turns.
    fn is_absent(&self, path: &str, name: &str) -> bool {
        let url = match pattern(path) {
            container if container.ends_with("Containers[]") => path.ends_with("[0]"),
            algorithm if algorithm.ends_with("SourceAlgorithms[]") => self.deployed == Deployed::AlgorithmWithUrl,
            _ => false,
        };
        let in_inference = path.starts_with("InferenceSpecification.");
        match name {
            _ if path.is_empty() && ABSENT.contains(&name) => true,
            "InferenceSpecification" => self.deployed != Deployed::Containers,
            "SourceAlgorithmSpecification" => self.deployed == Deployed::Containers,
            "ModelDataUrl" | "ModelDataETag" => !url,
            "ModelDataSource" => url,
            "AdditionalS3DataSource" => in_inference,
            // What a hub serves is not copied: `plan::missing`.
            "HubAccessConfig" => true,
            _ => false,
        }
    }

    fn text(&self, shape: &str, path: &str) -> String {
        let name = path.rsplit('.').next().unwrap_or_default();
        match (shape, name) {
            ("EntityName", "Name") => path.replace(['[', ']', '.'], "-"),
            (_, "ETag") => self.etag(&path.replace(".ETag", ".S3Uri")),
            (_, "ManifestEtag") => self.etag(&path.replace(".ManifestEtag", ".ManifestS3Uri")),
            (_, "ModelDataETag") => self.etag(&path.replace(".ModelDataETag", ".ModelDataUrl")),
            ("Url" | "S3Uri" | "S3ModelUri", _) => self.object(path),
            (_, "S3DataType") => if is_prefix(path) { "S3Prefix" } else { "S3Object" }.to_owned(),
            ("ModelCardContent", _) => self.card(),
            _ => sample(shape).unwrap_or_else(|| format!("{name} & <b>, in text")),
        }
    }

    /// Puts what this member refers to; gives its URL.
    fn object(&self, path: &str) -> String {
        let put = |key: &str, text: String| self.cloud.put(MODELS, key, text);
        match path {
            _ if path.ends_with(".S3OutputPath") => {}
            _ if path.ends_with(".ManifestS3Uri") => {
                put(&format!("{path}.listed"), format!("listed by {path}"));
                put(path, format!("location\ns3://{MODELS}/{path}.listed\n"));
            }
            _ if path.ends_with(".S3Uri") && is_prefix(path) => {
                put(&format!("{path}/one"), format!("one of {path}"));
                put(&format!("{path}/deep/two"), format!("two of {path}"));
                return format!("s3://{MODELS}/{path}/");
            }
            _ => put(path, format!("content of {path}")),
        }
        format!("s3://{MODELS}/{path}")
    }

    fn etag(&self, of: &str) -> String {
        self.object(of);
        self.cloud.object(MODELS, of).map_or("of-a-prefix".to_owned(), |object| object.etag)
    }

    fn card(&self) -> String {
        let copied = self.object("SamplePayloadUrl");
        format!("{{ \"model_overview\": {{\"sample\": \"{copied}\", \"notes\": \"ü\"}}, \"link\":\"{CARD_LINK}\" }}")
    }
}

/// Containers and inputs take turns in referring to prefixes and to objects.
fn is_prefix(path: &str) -> bool {
    path.contains("Containers[0]") || path.contains("TransformInput")
}

/// A text that satisfies a shape with a pattern of its own, or with values of its own.
fn sample(shape: &str) -> Option<String> {
    let digest = format!("sha256:{}", "0f".repeat(32));
    let text = match shape {
        "EntityName" | "ContainerHostname" | "HubContentName" | "ProductId" | "AdditionalModelChannelName" => "Name-1",
        "ArnOrName" => "arn:aws:sagemaker:eu-central-1:444333666777:algorithm/of-the-source",
        "EntityDescription" => "Ünïcode, $ymbols & <marks> 日本",
        "ModelPackageRegistrationType" => "Registered",
        "ModelApprovalStatus" | "ModelCardStatus" => "Approved",
        "SkipModelValidation" => "All",
        "ModelPackageSourceUri" => "https://git.example.com/churn/tree/v1",
        "CompressionType" | "ModelCompressionType" => "Gzip",
        "KmsKeyId" => SOURCE_KEY,
        "RoleArn" => "arn:aws:iam::444333666777:role/validation",
        "ContentType" | "ResponseMIMEType" | "Accept" => "text/csv",
        "TransformInstanceType" | "ProductionVariantInstanceType" => "ml.m5.large",
        "ContainerImage" => "444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1",
        "ImageDigest" | "ContentDigest" => &digest,
        "ModelPackageFrameworkVersion" | "HubContentVersion" => "2.3.0",
        "BatchStrategy" => "MultiRecord",
        "SplitType" | "AssemblyType" => "Line",
        "TransformAmiVersion" => "al2-ami-sagemaker-batch-gpu-470",
        "HubContentArn" => "arn:aws:sagemaker:eu-central-1:aws:hub-content/Public/Model/llm/1.0.0",
        _ => return None,
    };
    Some(text.to_owned())
}
