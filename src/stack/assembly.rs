//! A CDK cloud assembly: stack, parameters and image come in, the three files that `cdk deploy --app` reads go out.
//!
//! The stack is deployed with the roles of the CDK bootstrap, so that whoever deploys needs no rights but to assume
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

/// What a CDK of 2024 and each later one reads.
const SCHEMA: &str = "36.0.0";

/// Where and as what the stack is deployed.
#[derive(Debug)]
pub struct Deployment<'a> {
    /// The stack's name.
    pub stack: &'a StackName,
    /// The account that it is deployed in.
    pub account: &'a AccountId,
    /// The region that it is deployed in.
    pub region: &'a Region,
    /// All that it is told.
    pub inputs: &'a Inputs,
}

impl Deployment<'_> {
    /// The files by name: manifest, template and assets. `source` is the image that the CDK is to build; without one
    /// the image of the inputs is taken as it is.
    ///
    /// # Errors
    /// As [`template::json`].
    pub fn files(&self, image: &Image, source: Option<&ImageSource>) -> Result<Vec<(String, String)>> {
        let template = serde_json::to_string_pretty(&self.template(image)?)? + "\n";
        let hash: String = Sha256::digest(&template).iter().map(|byte| format!("{byte:02x}")).collect();
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

    /// The image that the CDK pushes to the bootstrap's repository.
    pub fn image(&self, source: &ImageSource) -> Image {
        Image { repository: self.bootstrapped("container-assets"), tag: source.hash.clone() }
    }

    /// The template with the inputs as its parameters' defaults: the CDK's command line does not pass on the parameters
    /// of an assembly (aws-cdk 2.1148.1, `deployStack` in toolkit-lib; tried).
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

    /// `cdk-<qualifier>-<what>-<account>-<region>`, as the bootstrap names what it makes.
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

    /// The template tags its resources itself; these are for the stack.
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
                    // CodeBuild's Linux containers are x86.
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
