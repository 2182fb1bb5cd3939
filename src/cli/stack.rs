//! `promote stack`: prints the pipeline's template, its parameters and the policies of the source account, and writes a
//! CDK cloud assembly.

use std::path::PathBuf;
use std::{env, fs, iter};

use anyhow::{Context, Result};
use clap::{Args, Command, Subcommand};
use serde_json::{Value, json};

use super::exit::Exit;
use super::printer::{print, say};
use crate::model::arn::{AccountId, Region, RoleArn};
use crate::stack::agreement::Conflict;
use crate::stack::assembly::Deployment;
use crate::stack::asset::ImageSource;
use crate::stack::grants::{Reader, grants};
use crate::stack::inputs::Inputs;
use crate::stack::names::StackName;
use crate::stack::parameters::Image;
use crate::stack::template;

/// Print or write the stack that runs `promote full` when a source version is approved or rejected
///
/// Makes no AWS call. An input `x_y` is the flag `--x-y`, the variables `PROMOTE_X_Y` and `SEEDFARMER_PARAMETER_X_Y`,
/// and the template's parameter. The flag takes precedence, then `PROMOTE_`. An empty variable counts as unset.
#[derive(Debug, Args)]
pub struct Stack {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Print the CloudFormation template, with comments that explain each resource
    Template,
    /// Print the template's parameters as the AWS CLI reads them
    ///
    /// For `aws cloudformation deploy --parameter-overrides file://…` and `create-stack --parameters file://…`.
    Parameters(Box<Inputs>),
    /// Print the policies that let the pipeline read the source account, and where to apply each
    SourceGrants(Box<SourceGrants>),
    /// Write a CDK cloud assembly: template, parameters, tags, and the image as an asset that the CDK builds
    ///
    /// Deploy it with `cdk deploy --app DIR --no-previous-parameters`. Without the last flag, the CDK keeps the old values
    /// of inputs that were removed.
    Assembly(Box<Assembly>),
}

#[derive(Debug, Args)]
struct SourceGrants {
    #[command(flatten)]
    inputs: Inputs,
    /// Limit the grants to this role: the stack's output BuildRoleArn [default: every role of the stack]
    #[arg(long, env = "PROMOTE_BUILD_ROLE_ARN", value_name = "ARN", help_heading = "Stack")]
    build_role_arn: Option<RoleArn>,
}

#[derive(Debug, Args)]
struct Assembly {
    #[command(flatten)]
    inputs: Inputs,
    /// Folder to write the assembly to; it is created if it does not exist
    #[arg(long, env = "PROMOTE_OUTPUT_DIR", value_name = "DIR", help_heading = "Files")]
    output_dir: PathBuf,
    /// Folder with the Dockerfile of the image
    #[arg(long, env = "PROMOTE_IMAGE_DIR", value_name = "DIR", default_value = ".", help_heading = "Files")]
    image_dir: PathBuf,
}

impl Stack {
    /// Prints or writes the form. Conflicting inputs are wrong arguments.
    pub(super) fn run(&self) -> Result<Exit> {
        let done = match &self.form {
            Form::Template => print(template::TEXT),
            Form::Parameters(inputs) => parameters(inputs),
            Form::SourceGrants(asked) => asked.run(),
            Form::Assembly(asked) => asked.run(),
        };
        match done {
            Ok(()) => Ok(Exit::Done),
            Err(error) => match error.downcast::<Conflict>() {
                Ok(conflict) => {
                    say(&format!("error: {conflict}"));
                    say(&format!("hint: {}", conflict.hint()));
                    Ok(Exit::Usage)
                }
                Err(error) => Err(error),
            },
        }
    }
}

/// Reads each input also from the variables of SeedFarmer and of the AWS tools. If an input's `PROMOTE_` variable is
/// empty, the first other variable that is not empty replaces it.
pub(super) fn with_other_variables(form: Command) -> Command {
    form.mut_args(|argument| {
        let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
        let Some(variable) = variable.filter(|name| !is_set(name)) else { return argument };
        let input = variable.replacen("PROMOTE_", "SEEDFARMER_PARAMETER_", 1);
        let others: &[&str] = match argument.get_id().as_str() {
            "target_account" => &["AWS_ACCOUNT_ID"],
            "target_region" => &["AWS_REGION", "AWS_DEFAULT_REGION"],
            "permissions_boundary_arn" => &["SEEDFARMER_PERMISSIONS_BOUNDARY_ARN"],
            _ => &[],
        };
        let mut names = iter::once(input.as_str()).chain(others.iter().copied());
        match names.find(|name| is_set(name)) {
            Some(name) => argument.env(name.to_owned()),
            None => argument,
        }
    })
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn parameters(inputs: &Inputs) -> Result<()> {
    inputs.check()?;
    let image = inputs.build.image_uri.as_ref().ok_or_else(|| {
        let hint = "Pass an image in ECR. `promote stack assembly` can build one";
        Conflict::new("--image-uri", "missing", hint)
    })?;
    let given = inputs.parameters(&Image::pushed(image)).into_iter();
    let parameters: Vec<Value> =
        given.map(|(name, value)| json!({"ParameterKey": name, "ParameterValue": value})).collect();
    print(&(serde_json::to_string_pretty(&parameters)? + "\n"))
}

impl SourceGrants {
    fn run(&self) -> Result<()> {
        self.inputs.check()?;
        let (account, region) = stack_environment(&self.inputs)?;
        let stack = stack_name(&self.inputs).ok();
        let reader = Reader { account, region, stack: stack.as_ref(), role: self.build_role_arn.as_ref() };
        let text: Vec<String> = grants(&self.inputs, &reader).iter().map(ToString::to_string).collect();
        print(&text.join("\n"))
    }
}

impl Assembly {
    fn run(&self) -> Result<()> {
        self.inputs.check()?;
        let (account, region) = stack_environment(&self.inputs)?;
        let stack = stack_name(&self.inputs)?;
        let deployment = Deployment { stack: &stack, account, region, inputs: &self.inputs };
        let files = match &self.inputs.build.image_uri {
            Some(image) => deployment.files(&Image::pushed(image), None)?,
            None => {
                let source = ImageSource::read(&self.image_dir, &self.output_dir)?;
                deployment.files(&deployment.image(&source), Some(&source))?
            }
        };
        fs::create_dir_all(&self.output_dir).with_context(|| format!("creating {}", self.output_dir.display()))?;
        for (name, text) in files {
            let path = self.output_dir.join(name);
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        print(&format!("{}: {stack} in {account}, {region}\n", self.output_dir.display()))
    }
}

/// The account and region of the stack.
fn stack_environment(inputs: &Inputs) -> Result<(&AccountId, &Region), Conflict> {
    let missing = |input, form| Conflict::new(input, "missing", format!("Pass the stack's {form}"));
    let account = inputs.access.target_account.as_ref();
    let region = inputs.access.target_region.as_ref();
    Ok((
        account.ok_or_else(|| missing("--target-account", "account (12 digits)"))?,
        region.ok_or_else(|| missing("--target-region", "region, such as eu-central-1"))?,
    ))
}

/// `--stack-name`, or the name that SeedFarmer expects: `<project>-<deployment>-<module>`.
fn stack_name(inputs: &Inputs) -> Result<StackName, Conflict> {
    if let Some(name) = &inputs.module.stack_name {
        return Ok(name.clone());
    }
    let parts = ["PROJECT", "DEPLOYMENT", "MODULE"].map(|part| {
        let name = format!("SEEDFARMER_{part}_NAME");
        env::var(name).ok().filter(|value| !value.is_empty())
    });
    let [Some(project), Some(deployment), Some(module)] = parts else {
        let hint = "Pass the name of the stack, or set SEEDFARMER_PROJECT_NAME, SEEDFARMER_DEPLOYMENT_NAME and \
                    SEEDFARMER_MODULE_NAME";
        return Err(Conflict::new("--stack-name", "missing", hint));
    };
    format!("{project}-{deployment}-{module}")
        .parse()
        .map_err(|error| Conflict::new("--stack-name", format!("{error}"), "Pass another name with --stack-name"))
}
