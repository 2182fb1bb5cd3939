"""SeedFarmer deploys and destroys the module: its own bundle, variables and buildspec, and stand-ins for the rest."""

import pytest

from conftest import sample_project
from readme import output_example
from standins.principals import REGION, TARGET_ACCOUNT
from standins.proxy import counting

REGISTRY = f"{TARGET_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
REPOSITORY = f"{REGISTRY}/cdk-hnb659fds-container-assets-{TARGET_ACCOUNT}-{REGION}"


@pytest.fixture
def cloudformation(aws):
    """CloudFormation of the target account."""
    return aws.client("cloudformation", "target")


def stacks(cloudformation):
    """The stacks that exist, by name."""
    found = cloudformation.describe_stacks()["Stacks"]
    return {stack["StackName"]: stack for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"}


def test_seedfarmer_takes_the_sample_manifest_and_names_the_variables_after_it(project):
    given = project.hand_over("deploy")
    for parameter in project.manifest["parameters"]:
        name = "SEEDFARMER_PARAMETER_" + parameter["name"].upper().replace("-", "_")
        assert given["variables"][name] == str(parameter["value"]), name


@pytest.mark.parametrize("verb", ["deploy", "destroy"])
def test_no_command_is_lost_on_the_way_to_codebuild(project, verb):
    given = project.hand_over(verb)
    assert any("promote stack assembly" in command for command in given["own"]["pre_build"])
    assert any(f"cdk {verb}" in command for command in given["own"]["build"])


@pytest.fixture(scope="module")
def deployed(tmp_path_factory, bootstrapped):
    """The sample manifest's module after its deployment: the project, the build that did it, and its calls of AWS."""
    project = sample_project(tmp_path_factory.mktemp("deployed"))
    with counting(bootstrapped["AWS_ENDPOINT_URL"]) as (url, calls):
        return project, project.build("deploy", bootstrapped | {"AWS_ENDPOINT_URL": url}), calls


def test_deploying_leaves_the_stack_and_the_metadata_that_the_readme_shows(deployed, cloudformation):
    project, build, _ = deployed
    assert build.code == 0, build.output
    assert stacks(cloudformation)[project.stack]["StackStatus"] == "CREATE_COMPLETE"
    assert build.metadata.keys() == output_example().keys()
    name, region = f"{project.stack}-Pipeline", f"{REGION}:{TARGET_ACCOUNT}"
    assert build.metadata["PipelineName"] == name
    assert build.metadata["PipelineArn"] == f"arn:aws:codepipeline:{region}:{name}"
    assert build.metadata["EventRuleArn"].startswith(f"arn:aws:events:{region}:rule/mlops-bus/")
    assert build.metadata["EventRuleName"].startswith("mlops-bus|")


def test_deploying_publishes_the_image_of_the_bundle(deployed):
    _, build, _ = deployed
    own, run, *published = build.docker_calls
    assert own == ["build", "--tag", "promote", "."]
    assert run[0] == "run"
    (pushed,) = [call[1] for call in published if call[0] == "push"]
    assert pushed.startswith(f"{REPOSITORY}:"), pushed
    (tagged,) = [call[1:] for call in published if call[0] == "tag"]
    assert ["build", "--tag", tagged[0], "--platform", "linux/amd64", "."] in published and tagged[1] == pushed


def test_the_build_s_own_role_only_assumes_the_roles_of_the_bootstrap(aws, deployed):
    _, _, calls = deployed
    (own,) = (principal.access_key for principal in aws.principals if principal.identity.name == "target")
    assert {call.operation for call in calls if call.asker == own} == {"sts"}
    assert len({call.asker for call in calls} - {own}) >= 3, "to deploy, to publish files, to publish images"


def test_an_input_that_is_unset_later_is_taken_back(project, bootstrapped):
    assert project.build("deploy", bootstrapped).code == 0
    project.leave_out("event_bus_name")
    build = project.build("deploy", bootstrapped)
    assert build.code == 0, build.output
    assert build.metadata.keys() == {"PipelineArn", "PipelineName"}


def test_destroying_removes_the_stack_with_its_rule_and_roles_and_publishes_nothing(
    aws, project, bootstrapped, cloudformation
):
    assert project.build("deploy", bootstrapped).code == 0
    build = project.build("destroy", bootstrapped)
    assert build.code == 0, build.output
    assert project.stack not in stacks(cloudformation)
    rules = aws.client("events", "target").list_rules(EventBusName="mlops-bus", NamePrefix=project.stack)["Rules"]
    roles = aws.client("iam", "target").list_roles()["Roles"]
    assert rules == [] and not [role for role in roles if role["RoleName"].startswith(f"{project.stack}-")]
    assert [call[0] for call in build.docker_calls] == ["build", "run"]


def test_a_wrong_input_stops_the_build_before_anything_is_deployed(project, bootstrapped, cloudformation):
    project.set("source_model_package_group_arn", "churn")
    build = project.build("deploy", bootstrapped)
    assert build.code != 0
    assert "expected arn:aws:sagemaker:<region>:<account>:model-package-group/<name>" in build.output
    assert project.stack not in stacks(cloudformation)
    assert not (build.module / "cdk-exports.json").exists()
