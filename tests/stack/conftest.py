"""The emitted stack, for tests: the template as the CDK gets it, deployed on moto, and its values resolved."""

import json
import os
import subprocess
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from moto.cloudformation import cloudformation_backends, parsing
from moto.events.models import Rule
from moto.kms.models import Key

from standins import cloudformation
from standins.principals import REGION, SOURCE_ACCOUNT

ROOT = Path(__file__).parent.parent.parent
ACCOUNT = "123456789012"  # moto's own
GROUP_ARN = f"arn:aws:sagemaker:{REGION}:{SOURCE_ACCOUNT}:model-package-group/Churn-Model"
PATTERN_ARN = GROUP_ARN.replace("Churn-Model", "Team-*")
MINIMAL = {"source-model-package-group-arn": GROUP_ARN, "target-bucket-name": "serving"}
ALL = MINIMAL | {
    "event-bus-name": "mlops-bus",
    "schedule": "rate(1 day)",
    "status-page": "true",
    "target-model-package-group-name": "Churn-Prod",
    "sagemaker-project-id": "p-1",
    "sagemaker-project-name": "churn",
    "kms-key-arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234",
    "retain-on-delete": "false",
    "permissions-boundary-name": "my-boundary",
    "source-role-arn": f"arn:aws:iam::{SOURCE_ACCOUNT}:role/reader",
    "source-bucket-names": "models,metrics",
    "source-kms-key-arn": f"arn:aws:kms:{REGION}:{SOURCE_ACCOUNT}:key/1234",
    "target-prefix": "prod/",
    "target-bucket-owner": "555666777888",
    "target-acl": "bucket-owner-full-control",
    "source-request-payer": "true",
    "image-repository-names": "serve,team/*",
    "image-repository-prefix": "models/",
    "approval": "pending",
    "review-before-promotion": "true",
    "results-topic-arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:results",
    "signing-key-arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/5678",
}
# As many as the policy of the build's role has room for.
REPOSITORIES = ",".join(f"team/{number:a>16}" for number in range(27))
# As many as one pipeline can read, each with the longest name.
BUCKETS = ",".join(f"{number:a>63}" for number in range(100))


class Deployed:
    """A stack on moto."""

    def __init__(self, template, name):
        self.template, self.name = template, name
        self.cloudformation = boto3.client("cloudformation", REGION)
        # moto takes the default of a list for a text.
        lists = {name: one["Default"] for name, one in template["Parameters"].items() if "List" in one["Type"]}
        self.cloudformation.create_stack(
            StackName=self.name,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in lists.items()],
        )

    @property
    def status(self):
        """How the creation ended."""
        return self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]

    @property
    def outputs(self):
        """The outputs by name."""
        outputs = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    @property
    def resources(self):
        """The types of what was created, by name."""
        found = self.cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        # moto also lists those whose condition does not hold, without a name.
        return {one["LogicalResourceId"]: one["ResourceType"] for one in found if "LogicalResourceId" in one}

    def properties(self, resource):
        """The properties of a resource with all functions evaluated by moto."""
        stack = cloudformation_backends[ACCOUNT][REGION].get_stack(self.name)
        return parsing.clean_json(self.template["Resources"][resource]["Properties"], stack.resource_map)


@pytest.fixture(scope="session", autouse=True)
def moto():
    """AWS in this process, with a CloudFormation that knows all types."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "DEFAULT_REGION": REGION}.items():
            patch.setenv(f"AWS_{name}", value)
        patch.setattr(parsing, "clean_json", cloudformation.clean)
        patch.setattr(parsing, "resource_class_from_type", cloudformation.known_or_noted)
        patch.setattr(Key, "create_from_cloudformation_json", cloudformation.create_key)
        patch.setattr(Rule, "physical_resource_id", property(cloudformation.rule_reference))
        with mock_aws():
            boto3.client("events", REGION).create_event_bus(Name=ALL["event-bus-name"])
            yield


@pytest.fixture(scope="session")
def emitted(tmp_path_factory):
    """The template that `promote stack assembly` writes for some inputs, which are its parameters' defaults."""

    def emit(inputs):
        folder = tmp_path_factory.mktemp("assembly")
        image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/promote:1.0"
        place = {"target-account": ACCOUNT, "target-region": REGION, "image-uri": image, "stack-name": "stack"}
        flags = [part for name, value in (inputs | place).items() for part in (f"--{name}", value)]
        command = [ROOT / "target/debug/promote", "stack", "assembly", "--output-dir", folder, *flags]
        subprocess.run(command, check=True, capture_output=True, env={"PATH": os.environ["PATH"]})
        return json.loads((folder / "stack.template.json").read_text())

    return emit


@pytest.fixture(scope="session")
def deploy(emitted):
    """Deploys a stack with these inputs besides the required ones."""
    return lambda name, inputs: Deployed(emitted(MINIMAL | inputs), name)


@pytest.fixture(scope="session")
def minimal(emitted):
    """The stack of the required inputs."""
    return Deployed(emitted(MINIMAL), "minimal")


@pytest.fixture(scope="session")
def everything(emitted):
    """The stack of all inputs."""
    return Deployed(emitted(ALL), "mlops-model-package")


@pytest.fixture(scope="session")
def many(emitted):
    """The stack of a pattern of source groups, read by the build's own role."""
    own = {name: value for name, value in ALL.items() if name != "source-role-arn"}
    inputs = {"source-model-package-group-arn": PATTERN_ARN, "target-model-package-group-name": "Prod-{group}"}
    return Deployed(emitted(own | inputs), "many-groups")


@pytest.fixture(scope="session")
def crowded(emitted):
    """The stack with a hundred source buckets and the longest names."""
    group, account = "Model-" * 10 + "End", SOURCE_ACCOUNT
    inputs = ALL | {
        "source-model-package-group-arn": f"arn:aws:sagemaker:{REGION}:{account}:model-package-group/{group}",
        "target-model-package-group-name": "Other-" * 10 + "End",
        "source-bucket-names": BUCKETS,
        "image-repository-names": REPOSITORIES,
    }
    return Deployed(emitted({name: value for name, value in inputs.items() if name != "source-role-arn"}), "m" * 91)


@pytest.fixture(params=["minimal", "everything"])
def either(request):
    """One of the two after the other."""
    return request.getfixturevalue(request.param)
