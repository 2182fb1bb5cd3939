//! Makes a CDK cloud assembly: the manifest, the template and the assets that `cdk deploy --app` reads.
//!
//! The CDK deploys with the roles of its bootstrap, so that the deploying principal only needs the permission to assume
//! them (AWS CDK, "Cloud assembly schema" 36 and "Bootstrapping").

use anyhow::Result;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::asset::ImageSource;
use super::inputs::Inputs;
use super::names::StackName;
use super::parameters::Image;
use super::template;
use crate::model::arn::{AccountId, Region};

/// The schema version of the assembly, which the CDK reads since 2024.
const SCHEMA: &str = "36.0.0";

/// A deployment of the stack.
#[derive(Debug)]
pub struct Deployment<'a> {
    /// The stack's name.
    pub stack: &'a StackName,
    /// The account of the stack.
    pub account: &'a AccountId,
    /// The region of the stack.
    pub region: &'a Region,
    /// The inputs.
    pub inputs: &'a Inputs,
}

impl Deployment<'_> {
    /// The files by name: manifest, template and assets. The CDK builds the image from `source`; without a source, the
    /// image already exists.
    ///
    /// # Errors
    /// As [`template::json`].
    pub fn files(&self, image: &Image, source: Option<&ImageSource>) -> Result<Vec<(String, String)>> {
        let template = serde_json::to_string_pretty(&self.template(image)?)? + "\n";
        let hash = hex::encode(Sha256::digest(&template));
        let files = [
            ("manifest.json".to_owned(), self.manifest(image, &hash)),
            (format!("{}.assets.json", self.stack), self.assets(&hash, source)),
        ];
        let mut files = files
            .into_iter()
            .map(|(name, value)| Ok((name, serde_json::to_string_pretty(&value)? + "\n")))
            .collect::<Result<Vec<_>>>()?;
        files.push((self.template_name(), template));
        Ok(files)
    }

    /// The image in the bootstrap's repository, which the CDK pushes.
    pub fn image(&self, source: &ImageSource) -> Image {
        Image { repository: self.bootstrapped("container-assets"), tag: source.hash.clone() }
    }

    /// The template with the inputs as the defaults of its parameters. The CDK's command line does not pass on the
    /// parameters of an assembly (tried with aws-cdk 2.1148.1, `deployStack` in toolkit-lib).
    fn template(&self, image: &Image) -> Result<Value> {
        let mut template = template::json()?;
        for (name, value) in self.inputs.parameters(image) {
            template["Parameters"][name]["Default"] = value.into();
        }
        Ok(template)
    }

    fn template_name(&self) -> String {
        format!("{}.template.json", self.stack)
    }

    /// The name of a resource of the bootstrap: `cdk-<qualifier>-<what>-<account>-<region>`.
    fn bootstrapped(&self, what: &str) -> String {
        format!("cdk-{}-{what}-{}-{}", self.inputs.build.bootstrap_qualifier, self.account, self.region)
    }

    fn role(&self, what: &str) -> String {
        format!("arn:${{AWS::Partition}}:iam::{}:role/{}", self.account, self.bootstrapped(what))
    }

    fn manifest(&self, image: &Image, template_hash: &str) -> Value {
        let assets = format!("{}.assets", self.stack);
        let version = format!("/cdk-bootstrap/{}/version", self.inputs.build.bootstrap_qualifier);
        let parameters: Map<String, Value> =
            self.inputs.parameters(image).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        json!({
            "version": SCHEMA,
            "artifacts": {
                assets.as_str(): {
                    "type": "cdk:asset-manifest",
                    "properties": {
                        "file": format!("{assets}.json"),
                        "requiresBootstrapStackVersion": 6,
                        "bootstrapStackVersionSsmParameter": version,
                    },
                },
                self.stack.as_str(): {
                    "type": "aws:cloudformation:stack",
                    "environment": format!("aws://{}/{}", self.account, self.region),
                    "properties": {
                        "stackName": self.stack.as_str(),
                        "templateFile": self.template_name(),
                        "parameters": parameters,
                        "tags": self.tags(),
                        "validateOnSynth": false,
                        "assumeRoleArn": self.role("deploy-role"),
                        "cloudFormationExecutionRoleArn": self.role("cfn-exec-role"),
                        "stackTemplateAssetObjectUrl":
                            format!("s3://{}/{template_hash}.json", self.bootstrapped("assets")),
                        "requiresBootstrapStackVersion": 6,
                        "bootstrapStackVersionSsmParameter": version,
                        "additionalDependencies": [assets.as_str()],
                    },
                    "dependencies": [assets.as_str()],
                    "displayName": self.stack.as_str(),
                },
            },
        })
    }

    /// The tags of the stack. The template tags its resources.
    fn tags(&self) -> Value {
        let module = &self.inputs.module;
        let mut tags = Map::from_iter([("sagemaker:deployment-stage".to_owned(), self.stack.as_str().into())]);
        let id = module.sagemaker_project_id.as_ref().map(ToString::to_string);
        let name = module.sagemaker_project_name.as_ref().map(ToString::to_string);
        for (key, value) in [("sagemaker:project-id", id), ("sagemaker:project-name", name)] {
            if let Some(value) = value {
                tags.insert(key.to_owned(), value.into());
            }
        }
        tags.into()
    }

    fn assets(&self, template_hash: &str, source: Option<&ImageSource>) -> Value {
        let place = format!("{}-{}", self.account, self.region);
        let images: Map<String, Value> = source
            .map(|source| {
                let image = json!({
                    // The build runs in an x86 container of CodeBuild.
                    "source": {"directory": source.folder.to_string_lossy(), "platform": "linux/amd64"},
                    "destinations": {place.as_str(): {
                        "repositoryName": self.bootstrapped("container-assets"),
                        "imageTag": source.hash,
                        "region": self.region.as_str(),
                        "assumeRoleArn": self.role("image-publishing-role"),
                    }},
                });
                (source.hash.clone(), image)
            })
            .into_iter()
            .collect();
        json!({
            "version": SCHEMA,
            "files": {template_hash: {
                "source": {"path": self.template_name(), "packaging": "file"},
                "destinations": {place.as_str(): {
                    "bucketName": self.bootstrapped("assets"),
                    "objectKey": format!("{template_hash}.json"),
                    "region": self.region.as_str(),
                    "assumeRoleArn": self.role("file-publishing-role"),
                }},
            }},
            "dockerImages": images,
        })
    }
}
