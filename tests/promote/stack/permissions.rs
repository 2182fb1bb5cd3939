//! The permissions of the build's role: the role of the template allows every call of `promote full`, and some run
//! needs each of its permissions.
//!
//! Each run is started as the build starts it, with the variables of the template's project. The stand-in notes every
//! right that IAM would ask for: a CopyObject needs s3:GetObject at the source and s3:PutObject at the target, and
//! where a key is involved kms:Decrypt and kms:GenerateDataKey.

mod asked;
mod policy;
mod runs;
mod template;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::stack::{self as stack_inputs, IMAGE, PATTERN};
use crate::support::Check;
use crate::support::{Cloud, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;
use policy::Statement;
use runs::{RUNS, Recorded};
use template::{STACK, Template};

/// The build's role once CloudFormation has named it.
const ROLE: &str = "arn:aws:iam::111222333444:role/mlops-BuildRole-1A2B3C4D5E6F";
/// Statements for calls of these services with the role, which no run of promote makes.
const OF_SERVICES: [&str; 2] = ["CodeBuild", "SageMaker"];
/// What the source's resource policies cannot grant: promote goes on without a group's tags and says so.
const NOT_GRANTABLE: &str = "sagemaker:ListTags";

/// A stack that was deployed with some inputs.
struct Deployed {
    template: Template,
    group: &'static str,
    inputs: Vec<&'static str>,
}

impl Deployed {
    fn with(inputs: &[&'static str]) -> Self {
        Self::for_group(stack_inputs::GROUP, inputs)
    }

    /// As [`Deployed::with`], for this source group or pattern.
    fn for_group(group: &'static str, inputs: &[&'static str]) -> Self {
        let arguments = stack_inputs::with_group("parameters", group, &[&IMAGE[..], inputs].concat());
        let printed = stack_inputs::parameters(&stack_inputs::stack(&arguments, &[]));
        let parameters: BTreeMap<String, String> = serde_json::from_value(printed).expect("texts");
        Self { template: Template::new(document(), parameters), group, inputs: inputs.to_vec() }
    }

    /// What the build's role may do, but for the statements of services.
    fn statements(&self) -> Vec<Statement> {
        let policies = self.template.policies("BuildRole");
        let statements = policies.iter().flat_map(Statement::all);
        statements.filter(|statement| !OF_SERVICES.iter().any(|name| statement.sid.starts_with(name))).collect()
    }

    /// What the source's resources let the build's role do: the policies that `stack source-grants` prints.
    fn grants(&self) -> Vec<Statement> {
        let named = ["--stack-name", STACK, "--output", "json"];
        let mut inputs = self.inputs.clone();
        if !inputs.contains(&"--source-bucket-names") {
            inputs.extend(["--source-bucket-names", "models,metrics"]);
        }
        let arguments = stack_inputs::with_group("source-grants", self.group, &[&inputs[..], &named].concat());
        let run = stack_inputs::stack(&arguments, &[]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        let steps = run.document()["steps"].clone();
        let policies = steps.as_array().expect("steps").iter().map(with_resources);
        policies.filter(|policy| policy["Statement"].is_array()).flat_map(|policy| Statement::all(&policy)).collect()
    }

    /// The build: `promote full`, or the stage's verb, with the project's variables and these of the stage.
    fn build(&self, cloud: &Cloud, who: Principal, stage: &[(&str, &str)]) -> Command {
        let mut command = cloud.process(who);
        let verb = stage.iter().find(|(name, _)| *name == "VERB").map_or("full", |(_, verb)| *verb);
        command.arg(verb).current_dir(cloud.home());
        let environment = self.template.properties("Project")["Environment"]["EnvironmentVariables"].clone();
        for variable in environment.as_array().expect("variables") {
            command.env(variable["Name"].as_str().expect("a name"), variable["Value"].as_str().expect("a value"));
        }
        command.envs(stage.iter().copied());
        command
    }
}

/// The policy of a step. The resource of a repository's policy is the repository.
fn with_resources(step: &Value) -> Value {
    let mut policy = step["policy"].clone();
    let command = step["commands"][0].as_str().expect("a command");
    if let Some((_, name)) = command.split_once("set-repository-policy --region eu-central-1 --repository-name ") {
        let name = name.split(' ').next().expect("a name").replace("\"$each\"", "*");
        for statement in policy["Statement"].as_array_mut().expect("statements") {
            statement["Resource"] = format!("arn:aws:ecr:eu-central-1:{SOURCE_ACCOUNT}:repository/{name}").into();
        }
    }
    policy
}

/// The template in its long form, as the cloud assembly has it.
fn document() -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().to_str().expect("a path");
    let arguments =
        stack_inputs::with("assembly", &[&IMAGE[..], &["--stack-name", STACK, "--output-dir", output]].concat());
    assert_eq!(stack_inputs::stack(&arguments, &[]).code, 0);
    let text = std::fs::read_to_string(folder.path().join(format!("{STACK}.template.json"))).expect("the template");
    serde_json::from_str(&text).expect("JSON")
}

/// What one run needed, and what it was granted.
struct Record {
    run: &'static str,
    streams: bool,
    shared: bool,
    checks: Vec<Check>,
    statements: Vec<Statement>,
    grants: Vec<Statement>,
}

/// Every run of the table, carried out once.
fn records() -> &'static [Record] {
    static RECORDS: OnceLock<Vec<Record>> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let record = |(run, recorded): (&'static str, Recorded)| Record {
            run,
            streams: recorded.streams,
            shared: recorded.deployed.group == PATTERN && !recorded.streams,
            checks: recorded.cloud.checks(),
            statements: recorded.deployed.statements(),
            grants: recorded.deployed.grants(),
        };
        RUNS.into_iter().map(|(name, run)| record((name, run()))).collect()
    })
}

/// What the runs needed: statements that allowed it, by name, and the rest.
#[derive(Default)]
struct Tally {
    used: BTreeSet<(String, String)>,
    used_resources: BTreeSet<(String, String)>,
    refused: Vec<String>,
    declared: BTreeSet<(String, String)>,
    declared_resources: BTreeSet<(String, String)>,
}

impl Tally {
    fn of_all_runs(change: impl Fn(&mut Vec<Statement>)) -> Tally {
        let mut tally = Tally::default();
        for record in records() {
            let mut statements = record.statements.clone();
            change(&mut statements);
            tally.add(record.run, &statements, &record.checks);
        }
        tally
    }

    fn add(&mut self, run: &str, statements: &[Statement], checks: &[Check]) {
        for statement in statements {
            let sid = || statement.sid.clone();
            self.declared.extend(statement.actions.iter().map(|action| (sid(), action.clone())));
            self.declared_resources.extend(statement.resources.iter().map(|resource| (sid(), resource.clone())));
        }
        for check in checks.iter().filter(|check| check.role.is_none()).collect::<BTreeSet<_>>() {
            let allowing: Vec<&Statement> = statements.iter().filter(|statement| statement.allows(check)).collect();
            if allowing.is_empty() {
                self.refused.push(format!("{run}: {} on {}", check.action, check.resource));
            }
            for statement in allowing {
                self.used.insert((statement.sid.clone(), check.action.clone()));
                let meant = statement.resources.iter().filter(|pattern| policy::matches(pattern, &check.resource));
                self.used_resources.extend(meant.map(|pattern| (statement.sid.clone(), pattern.clone())));
            }
        }
    }

    /// Actions and resources that no run needed. A resource in the other spelling of a group's name counts as needed, and
    /// so do the hold of a group and the states of its uploads if a run needed those of another group.
    fn unused(&self) -> Vec<String> {
        let of_each_group =
            |resource: &str| ["/_hold-*", "/_unfinished/*"].into_iter().find(|end| resource.ends_with(end));
        let spelled = |(sid, resource): &(String, String)| {
            (sid.clone(), of_each_group(resource).map_or_else(|| resource.to_lowercase(), str::to_owned))
        };
        let used: BTreeSet<_> = self.used_resources.iter().map(spelled).collect();
        let actions = self.declared.difference(&self.used);
        let resources = self.declared_resources.iter().filter(|resource| !used.contains(&spelled(resource)));
        actions.chain(resources).map(|(sid, what)| format!("{sid}: {what}")).collect()
    }
}

#[test]
fn every_call_of_the_recorded_runs_is_allowed_and_every_permission_is_used() {
    let tally = Tally::of_all_runs(|_| {});
    assert_eq!(tally.refused, Vec::<String>::new(), "the role lacks rights");
    assert_eq!(tally.unused(), Vec::<String>::new(), "the role has rights that no run needs");
    assert!(tally.used.len() > 15, "only {} rights were used: did the runs call AWS?", tally.used.len());
}

#[test]
fn a_missing_or_an_unused_permission_is_noticed() {
    let without = Tally::of_all_runs(|statements| {
        for statement in statements.iter_mut().filter(|one| one.sid == "RegisterVersions") {
            statement.actions.retain(|action| action != "sagemaker:UpdateModelPackage");
        }
    });
    assert!(without.refused.iter().any(|line| line.contains("UpdateModelPackage")), "{:?}", without.refused);
    let wider = Tally::of_all_runs(|statements| {
        let statement = statements.iter_mut().find(|one| one.sid == "RegisterVersions").expect("the statement");
        statement.actions.push("sagemaker:DeleteModelPackageGroup".into());
        statement.resources.push("arn:aws:sagemaker:eu-central-1:111222333444:model-package/other/*".into());
    });
    assert_eq!(wider.unused().len(), 2, "{:?}", wider.unused());
}

#[test]
fn the_role_of_a_pattern_reads_and_writes_no_other_group() {
    let statements = Deployed::for_group(PATTERN, &["--target-group", "prod-{group}"]).statements();
    let allows = |action: &str, resource: &str, owner: &str| {
        let (role, action, resource, owner) = (None, action.into(), resource.into(), owner.into());
        let check = Check { role, action, resource, owner };
        statements.iter().any(|statement| statement.allows(&check))
    };
    let source = |name: &str| {
        let arn = format!("arn:aws:sagemaker:eu-central-1:{SOURCE_ACCOUNT}:model-package");
        let versions = allows("sagemaker:DescribeModelPackage", &format!("{arn}/{name}/1"), SOURCE_ACCOUNT);
        (allows("sagemaker:ListModelPackages", &format!("{arn}-group/{name}"), SOURCE_ACCOUNT), versions)
    };
    assert_eq!((source("team-a"), source("team"), source("a-team-a")), ((true, true), (false, false), (false, false)));
    let target = |name: &str| {
        let arn = format!("arn:aws:sagemaker:eu-central-1:{TARGET_ACCOUNT}:model-package");
        let key = format!("arn:aws:s3:::serving/{name}/{SOURCE_ACCOUNT}-eu-central-1-team-a-v1/m.tar.gz");
        let group = allows("sagemaker:CreateModelPackageGroup", &format!("{arn}-group/{name}"), TARGET_ACCOUNT);
        (group, allows("s3:PutObject", &key, TARGET_ACCOUNT))
    };
    assert_eq!(
        (target("prod-team-a"), target("team-a"), target("prod-a")),
        ((true, true), (false, false), (false, false))
    );
    let objects = ["prod-team-a", "team-a", "prod-a"].map(|name| {
        let hold = format!("arn:aws:s3:::serving/{name}/_hold-1-held/hold.json");
        let state = format!("arn:aws:s3:::serving/{name}/{SOURCE_ACCOUNT}-eu-central-1-team-a-v1/_unfinished/m.json");
        (allows("s3:GetObject", &hold, TARGET_ACCOUNT), allows("s3:DeleteObject", &state, TARGET_ACCOUNT))
    });
    assert_eq!(objects, [(true, true), (false, false), (false, false)], "holds, and states of uploads");
}

#[test]
fn only_a_pattern_and_only_the_reader_of_the_source_lists_groups() {
    let lists = |deployed: Deployed| deployed.statements().iter().any(|one| one.sid == "FindTheGroups");
    assert!(lists(Deployed::for_group(PATTERN, &[])) && !lists(Deployed::with(&[])));
    let reader = Deployed::for_group(PATTERN, &["--source-role-arn", "arn:aws:iam::444333666777:role/reader"]);
    assert!(reader.grants().iter().any(|one| one.sid == "FindTheGroups"));
    assert!(!lists(reader));
}

#[test]
fn the_policies_that_source_grants_prints_allow_every_read_at_the_source() {
    let mut needed = 0;
    for record in records() {
        for check in &record.checks {
            let of_the_source = check.owner == SOURCE_ACCOUNT && check.action != NOT_GRANTABLE;
            if !of_the_source || check.action == "sts:AssumeRole" {
                continue;
            }
            // The groups of a pattern are shared by AWS RAM, which writes their policies.
            if record.shared && check.action.starts_with("sagemaker:") {
                continue;
            }
            // Without rights of its own at the source the build's role is refused there, and promote streams.
            if check.role.is_none() && record.streams {
                continue;
            }
            needed += 1;
            let allowed = record.grants.iter().any(|statement| statement.allows(check));
            assert!(allowed, "{}: nothing grants {} on {}", record.run, check.action, check.resource);
        }
    }
    assert!(needed > 50, "{needed} rights were needed at the source");
}

#[test]
fn a_statement_allows_only_its_own_actions_resources_and_accounts() {
    let check = |action: &str, resource: &str, owner: &str| Check {
        role: None,
        action: action.into(),
        resource: resource.into(),
        owner: owner.into(),
    };
    let policy = json!({"Statement": [{
        "Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::models/a/*.gz",
        "Condition": {"StringEquals": {"aws:ResourceAccount": SOURCE_ACCOUNT}},
    }]});
    let allows = |check: &Check| Statement::all(&policy)[0].allows(check);
    let right = check("s3:GetObject", "arn:aws:s3:::models/a/b/c.gz", SOURCE_ACCOUNT);
    assert!(allows(&right));
    assert!(!allows(&check("s3:PutObject", &right.resource, SOURCE_ACCOUNT)));
    assert!(!allows(&check("s3:GetObject", "arn:aws:s3:::models/a.gz", SOURCE_ACCOUNT)));
    assert!(!allows(&check("s3:GetObject", "arn:aws:s3:::models/a/b.gz.txt", SOURCE_ACCOUNT)));
    assert!(!allows(&check("s3:GetObject", &right.resource, "111222333444")));
}
