"""What the template creates, as far as moto can create it, and what moto's services say to the rest."""

import json

import boto3
import pytest
from botocore.validate import ParamValidator
from conftest import ACCOUNT, ALL, MINIMAL, ROOT, Deployed

from standins.principals import REGION, SOURCE_ACCOUNT

OPTIONAL = {
    "EventRole",
    "ListMoreBuckets",
    "ListSourceBuckets",
    "PackagesRemoved",
    "ReadMoreBuckets",
    "ReadSourceBuckets",
    "Results",
    "ScheduledStart",
    "SageMakerModelPackageStateChange",
    "UndeliveredEvents",
    "UndeliveredEventsPolicy",
}
# Resources that take tags; a Map in CloudFormation nowhere here.
UNTAGGED = {
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "Custom::EmptyBucket",
    "Custom::ImageDigest",
    "Custom::RemovePackages",
}


def test_the_template_has_room_for_four_kilobytes_more():
    """CreateStack takes a template of 51,200 bytes; a larger one has to be put into a bucket first."""
    assert len((ROOT / "stack/promote.yaml").read_bytes()) <= 51_200 - 4_100


def test_all_inputs_create_every_resource_but_those_of_very_many_buckets(everything):
    stack = everything
    assert stack.status == "CREATE_COMPLETE"
    more = {"ReadMoreBuckets", "ListMoreBuckets", "ListSourceBuckets"}
    assert set(stack.template["Resources"]) - set(stack.resources) == more


def test_minimal_inputs_create_every_resource_but_the_optional_ones(minimal):
    stack = minimal
    assert stack.status == "CREATE_COMPLETE"
    assert set(stack.template["Resources"]) - set(stack.resources) == OPTIONAL


@pytest.mark.parametrize("inputs", [MINIMAL, ALL], ids=["minimal", "everything"])
def test_the_stack_goes_as_a_whole(emitted, inputs):
    before = held()
    stack = Deployed(emitted(inputs), "short-lived")
    assert stack.status == "CREATE_COMPLETE" and held() > before
    stack.cloudformation.delete_stack(StackName=stack.name)
    assert held() == before


def held():
    """The names of all buckets, roles, log groups, queues and functions."""
    names = [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]
    names += [role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]]
    names += [group["logGroupName"] for group in boto3.client("logs").describe_log_groups()["logGroups"]]
    names += boto3.client("sqs").list_queues().get("QueueUrls", [])
    return {*names, *(one["FunctionName"] for one in boto3.client("lambda").list_functions()["Functions"])}


def test_the_outputs_are_the_specification_s(everything):
    outputs = everything.outputs
    metadata = json.loads(outputs["metadata"])
    assert metadata == {name: outputs[name] for name in ("PipelineArn", "PipelineName", "EventRuleArn", "EventRuleName")}
    assert metadata["PipelineName"] == "mlops-model-package-Pipeline"
    assert metadata["PipelineArn"] == f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:mlops-model-package-Pipeline"
    bus, rule = metadata["EventRuleName"].split("|")
    assert bus == "mlops-bus"
    assert metadata["EventRuleArn"] == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/mlops-bus/{rule}"


def test_without_a_bus_there_is_no_rule_in_the_outputs(minimal):
    outputs = minimal.outputs
    assert set(json.loads(outputs["metadata"])) == {"PipelineArn", "PipelineName"}
    assert "EventRuleArn" not in outputs and "EventRuleName" not in outputs


def test_codepipeline_accepts_the_definition(either):
    stack = either
    definition = lower(stack.properties("Pipeline"))
    tags = definition.pop("tags")
    pipeline = boto3.client("codepipeline").create_pipeline(pipeline=definition | {"version": 1}, tags=tags)["pipeline"]
    names = [stage["name"] for stage in pipeline["stages"]]
    assert names == (["Image", "Withdraw", "Review", "Promote"] if stack.name != "minimal" else ["Image", "Promote"])


def test_codebuild_s_interface_accepts_the_project(either):
    """By its shapes: moto asks for the location of a source that is the pipeline's, which has none."""
    stack = either
    project = projected(stack.properties("Project"))
    shape = boto3.client("codebuild").meta.service_model.operation_model("CreateProject").input_shape
    assert not ParamValidator().validate(project, shape).has_errors()
    promote = stack.properties("Pipeline")["Stages"][-1]["Actions"][0]
    assert promote["Configuration"]["ProjectName"] == project["name"]
    variables = {one["name"]: one["value"] for one in project["environment"]["environmentVariables"]}
    assert variables["PROMOTE_GROUP"] == MINIMAL["source-model-package-group-arn"]


def test_what_a_bucket_demands_reaches_the_build_and_an_acl_its_permission(minimal, everything):
    demands = ("TARGET_BUCKET_OWNER", "TARGET_SSE", "TARGET_ACL", "SOURCE_REQUEST_PAYER")
    for stack, values, may_set_acl in (
        (minimal, ("", "", "", "false"), False),
        (everything, ("555666777888", "", "bucket-owner-full-control", "true"), True),
    ):
        variables = stack.properties("Project")["Environment"]["EnvironmentVariables"]
        given = {one["Name"]: one["Value"] for one in variables}
        assert tuple(given[f"PROMOTE_{name}"] for name in demands) == values
        policies = stack.properties("BuildRole")["Policies"]
        statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
        (write,) = [one for one in statements if isinstance(one, dict) and one.get("Sid") == "WriteCopiesAndRecord"]
        assert ("s3:PutObjectAcl" in write["Action"]) == may_set_acl


def test_images_are_copied_with_permissions_that_kept_images_do_without(everything, deploy):
    keeping = deploy("keeping", {"images": "keep"})
    for stack, images, prefix in ((everything, "copy", "models/"), (keeping, "keep", "")):
        variables = stack.properties("Project")["Environment"]["EnvironmentVariables"]
        given = {one["Name"]: one["Value"] for one in variables}
        assert (given["PROMOTE_IMAGES"], given["PROMOTE_IMAGE_REPOSITORY_PREFIX"]) == (images, prefix)
    assert "CopyImages" not in keeping.resources
    of_ecr = {
        statement["Sid"]
        for name, policy in policies(keeping)
        for statement in policy["Statement"]
        if "ecr:" in json.dumps(statement)
    }
    assert of_ecr == {"CodeBuildPullsTheImage", "CodeBuildLogsInToTheRegistry", "SageMakerLooksUpImages", "FindTheImage"}


def test_the_named_repositories_and_the_prefix_narrow_what_is_written(everything, minimal):
    def written(stack):
        (statement,) = [
            one
            for one in stack.properties("CopyImages")["PolicyDocument"]["Statement"]
            if isinstance(one, dict) and one.get("Sid") == "WriteImages"
        ]
        return statement["Resource"]

    registry = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository"
    assert written(everything) == [f"{registry}/models/serve", f"{registry}/models/team/*"]
    assert written(minimal) == f"{registry}/*"


def test_values_of_actions_keep_to_codepipeline_s_limits(everything):
    """At most 1000 characters each; variables are declared (CodePipeline User Guide, action structure, variables)."""
    pipeline = everything.properties("Pipeline")
    declared = {variable["Name"] for variable in pipeline["Variables"]}
    for stage in pipeline["Stages"]:
        for action in stage["Actions"]:
            for value in action["Configuration"].values():
                assert len(value) <= 1000
            given = json.loads(action["Configuration"].get("EnvironmentVariables", "[]"))
            used = {one["value"] for one in given if one["value"].startswith("#{")}
            assert used <= {f"#{{variables.{name}}}" for name in declared}


def test_the_review_is_a_dry_run_and_then_an_approval(everything):
    stages = everything.properties("Pipeline")["Stages"]
    first, second = sorted(stages[2]["Actions"], key=lambda action: action["RunOrder"])
    variables = json.loads(first["Configuration"]["EnvironmentVariables"])
    assert {"name": "PROMOTE_DRY_RUN", "value": "true"} in variables
    assert second["ActionTypeId"]["Category"] == "Approval"
    assert "PROMOTE_DRY_RUN" not in stages[3]["Actions"][0]["Configuration"]["EnvironmentVariables"]


def test_every_role_has_the_boundary_and_only_with_one(everything):
    stack = everything
    roles = [name for name, kind in stack.resources.items() if kind == "AWS::IAM::Role"]
    assert len(roles) == 4
    for name in roles:
        boundary = stack.properties(name)["PermissionsBoundary"]
        assert boundary == f"arn:aws:iam::{ACCOUNT}:policy/my-boundary", name


def test_without_a_boundary_no_role_has_one(minimal):
    stack = minimal
    roles = [name for name, kind in stack.resources.items() if kind == "AWS::IAM::Role"]
    assert not any("PermissionsBoundary" in stack.properties(name) for name in roles)


def test_everything_that_takes_tags_has_them(either):
    stack = either
    wanted = {"sagemaker:deployment-stage": stack.name}
    if stack.name != "minimal":
        wanted |= {"sagemaker:project-id": "p-1", "sagemaker:project-name": "churn"}
    for name, kind in stack.resources.items():
        tags = {tag["Key"]: tag["Value"] for tag in stack.properties(name).get("Tags", [])}
        assert tags == ({} if kind in UNTAGGED else wanted), name
    variables = {one["Name"]: one["Value"] for one in stack.properties("Project")["Environment"]["EnvironmentVariables"]}
    assert dict(tag.split("=") for tag in variables["PROMOTE_GROUP_TAG"].split(",")) == wanted


def test_every_statement_says_what_it_is_for_and_allows_no_action_by_wildcard(everything):
    for name, policy in policies(everything):
        for statement in policy["Statement"]:
            assert statement["Sid"], name
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert statement["Effect"] == "Deny" or not any("*" in action for action in actions), statement


def test_kms_is_only_used_through_services(everything):
    for name, policy in policies(everything):
        for statement in policy["Statement"]:
            # Signing and looking at a key are calls of the role itself, and of no service on its behalf.
            direct = statement["Sid"] in ("SignTheRecord", "LookAtTheKey")
            if name == "ArtifactKey" or "kms:" not in str(statement["Action"]) or direct:
                continue
            assert "kms:ViaService" in str(statement["Condition"]), statement


def test_the_build_decrypts_artifacts_of_the_source_account_in_every_region(minimal, everything):
    # Buckets and keys may be in another region than the group.
    keys = {"minimal": f"arn:aws:kms:*:{SOURCE_ACCOUNT}:key/*", everything.name: ALL["source-kms-key-arn"]}
    for stack in (minimal, everything):
        own = [policy for name, policy in policies(stack) if name == "BuildRole"]
        statements = {one["Sid"]: one for policy in own for one in policy["Statement"]}
        used = statements["DecryptTheArtifacts"]
        services = ["s3.*.amazonaws.com", "sagemaker.*.amazonaws.com"]
        assert used["Condition"] == {"StringLike": {"kms:ViaService": services}}
        assert used["Resource"] == keys[stack.name]


def test_the_service_of_the_logs_has_the_name_of_its_partition(everything):
    # CloudWatch Logs is logs.<region>.amazonaws.com.cn in China: the name of the service ends as the partition's names do.
    statements = everything.template["Resources"]["ArtifactKey"]["Properties"]["KeyPolicy"]["Statement"]
    named = {one["Sid"]: one["Principal"] for one in statements if one["Sid"].startswith("Logs")}
    service = {"Service": {"Fn::Sub": "logs.${AWS::Region}.${AWS::URLSuffix}"}}
    assert named == {"LogsOfThisStack": service, "LogsOfThisRegion": service}


def test_the_review_can_publish_to_a_topic_that_is_encrypted(everything):
    statements = {one["Sid"]: one for _, policy in policies(everything) for one in policy["Statement"]}
    used = statements["UseTheKeyOfTheTopic"]
    assert used["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert used["Condition"] == {"StringEquals": {"kms:ViaService": f"sns.{REGION}.amazonaws.com"}}
    assert statements["AskForApproval"]["Action"] == "sns:Publish"


def policies(stack):
    """The policies of every resource, with the name of the resource."""
    for name in stack.resources:
        properties = stack.properties(name)
        for policy in properties.get("Policies", []):
            yield name, policy["PolicyDocument"]
        for member in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument"):
            if member in properties:
                yield name, properties[member]


def lower(value, keep=("configuration",)):
    """CloudFormation's members as the service's own interface names them."""
    if isinstance(value, list):
        return [lower(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {name[0].lower() + name[1:]: inner for name, inner in value.items()}
    return {name: inner if name in keep else lower(inner) for name, inner in named.items()}


def projected(properties):
    """The project as CodeBuild's own interface takes it."""
    project = lower(properties)
    project["source"]["buildspec"] = project["source"].pop("buildSpec")
    return project | {"timeoutInMinutes": int(project["timeoutInMinutes"])}
