//! `promote stack`: prints the pipeline's template, its parameters and the policies of the source account, and writes a
//! CDK cloud assembly.

use std::path::PathBuf;
use std::{env, fs, iter};

use anyhow::{Context, Result};
use clap::{Arg, Args, Command, Subcommand};
use serde_json::{Value, json};

use super::exit::Exit;
use super::printer::{print, say};
use crate::stack::agreement::Conflict;
use crate::stack::assembly::Deployment;
use crate::stack::asset::ImageSource;
use crate::stack::inputs::Inputs;
use crate::stack::parameters::Image;
use crate::stack::template;

mod environment;
mod grants;

use environment::{note, seedfarmer_name, stack_environment, stack_name};
use grants::SourceGrants;

/// Print or write the stack that runs `promote full` when a source version is approved or rejected
///
/// Makes no AWS call. Set the input `x_y` with the flag `--x-y`, the variable `PROMOTE_X_Y` or the variable
/// `SEEDFARMER_PARAMETER_X_Y`; the first that is set counts. An empty variable counts as unset. `promote stack
/// parameters` prints the values as the template's parameters.
#[derive(Debug, Args)]
pub struct Stack {
    #[command(subcommand)]
    form: StackForm,
}

#[derive(Debug, Subcommand)]
enum StackForm {
    /// Print the CloudFormation template, with comments that explain each resource
    Template,
    /// Print the template's parameters as the AWS CLI reads them
    ///
    /// For `aws cloudformation deploy --parameter-overrides file://…` and `create-stack --parameters file://…`.
    #[command(override_usage = "promote stack parameters [OPTIONS] --image-uri <URI>
                                --source-model-package-group-arn <ARN>
                                --target-bucket-name <BUCKET>")]
    Parameters(Box<Inputs>),
    /// Print the policies that let the pipeline read the source account, and where to apply each
    ///
    /// With `--output-dir`, writes a file for each policy and a script for each account. The scripts read the present
    /// policy, replace statements that have the same Sid, and keep all other statements. Takes several groups of one
    /// account and region.
    #[command(override_usage = "promote stack source-grants [OPTIONS]
                                   --source-model-package-group-arn <ARN>
                                   --target-account <ACCOUNT> --target-region <REGION>")]
    SourceGrants(Box<SourceGrants>),
    /// Write a CDK cloud assembly: template, parameters, tags, and the image as an asset that the CDK builds
    ///
    /// Deploy it with `cdk deploy --app DIR --no-previous-parameters`. Without the last flag, the CDK keeps the old values
    /// of inputs that were removed.
    #[command(override_usage = "promote stack assembly [OPTIONS] --output-dir <DIR> --stack-name <NAME>
                              --source-model-package-group-arn <ARN>
                              --target-account <ACCOUNT> --target-region <REGION>
                              --target-bucket-name <BUCKET>")]
    Assembly(Box<Assembly>),
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
            StackForm::Template => print(template::TEXT),
            StackForm::Parameters(inputs) => parameters(inputs),
            StackForm::SourceGrants(asked) => asked.run(),
            StackForm::Assembly(asked) => asked.run(),
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

/// Requires what a form cannot do without, so that all missing inputs are named at once.
fn with_required_inputs(form: Command) -> Command {
    let required: &[&str] = match form.get_name() {
        "parameters" => &["image_uri"],
        "source-grants" => &["target_account", "target_region"],
        "assembly" if seedfarmer_name().is_some() => &["target_account", "target_region"],
        "assembly" => &["target_account", "target_region", "stack_name"],
        _ => &[],
    };
    required.iter().fold(form, |form, input| form.mut_arg(*input, |argument: Arg| argument.required(true)))
}

/// Reads each input also from the variables of SeedFarmer and of the AWS tools. If an input's `PROMOTE_` variable is
/// empty, the first other variable that is not empty replaces it.
pub(super) fn with_other_variables(form: Command) -> Command {
    with_required_inputs(form).mut_args(|argument| {
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
    let image = inputs.build.image_uri.as_ref().context("`--image-uri` is required")?;
    let given = inputs.parameters(&Image::pushed(image)).into_iter();
    let parameters: Vec<Value> =
        given.map(|(name, value)| json!({"ParameterKey": name, "ParameterValue": value})).collect();
    note_first_run(inputs);
    print(&(serde_json::to_string_pretty(&parameters)? + "\n"))
}

/// Says on standard error what happens as soon as the stack exists.
fn note_first_run(inputs: &Inputs) {
    if !inputs.module.review_before_promotion {
        note(
            "The pipeline runs once as soon as it is created, and promotes the latest Approved version; with \
             `--review-before-promotion true`, it waits for an approval first",
        );
    }
}

impl Assembly {
    fn run(&self) -> Result<()> {
        self.inputs.check()?;
        let (account, region) = stack_environment(&self.inputs)?;
        let stack = stack_name(&self.inputs)?.context("`--stack-name` is required")?;
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
        note_first_run(&self.inputs);
        print(&format!("{}: {stack} in {account}, {region}\n", self.output_dir.display()))
    }
}
