"""moto's server, with a CloudFormation that can create a whole pipeline and the model registry of SageMaker.

moto skips resources that it does not know, so that whatever refers to them fails, and runs custom resources in Docker.
Here such a resource is noted under its name; and three things that moto does unlike AWS are as on AWS.
"""

import json

from moto.cloudformation import parsing
from moto.codepipeline.responses import CodePipelineResponse
from moto.core.common_models import CloudFormationModel
from moto.events.models import Rule
from moto.kms.models import Key
from moto.server import main

from standins import sagemaker

KNOWN = parsing.resource_class_from_type
CLEAN = parsing.clean_json
CREATE_KEY = Key.create_from_cloudformation_json


class Noted(CloudFormationModel):
    """A resource that exists, and does nothing."""

    def __init__(self, kind, name, account, region):
        self.kind, self.name, self.account, self.region = kind, name, account, region

    @property
    def physical_resource_id(self):
        """What `!Ref` gives."""
        return self.name

    @classmethod
    def has_cfn_attr(cls, _):
        """Every attribute, although only the ARN is a real one."""
        return True

    def get_cfn_attribute(self, name):
        """What `!GetAtt` gives; a custom resource answers with nothing."""
        service = self.kind.split("::")[1].lower()
        resource = f"project/{self.name}" if service == "codebuild" else self.name
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}" if name == "Arn" else ""

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **about):
        """Notes it, by the name that the template gives it, if any."""
        name = cloudformation_json["Properties"].get("Name", resource_name)
        return cls(about["ResourceType"], name, account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(cls, *_, **__):
        """There is nothing to delete."""

    @staticmethod
    def cloudformation_name_type():
        """The member that names it."""
        return "Name"

    @staticmethod
    def cloudformation_type():
        """None in particular."""
        return "?"


def known_or_noted(kind):
    """The class for a type of resource."""
    return Noted if kind.startswith("Custom::") else KNOWN(kind) or Noted


def clean(given, resources):
    """What the template says with its functions evaluated; `AWS::NoValue` is no item of a list, either."""
    cleaned = CLEAN(given, resources)
    return [item for item in cleaned if item is not None] if isinstance(given, list) else cleaned


def create_key(resource_name, cloudformation_json, *rest, **about):
    """A key without its tags, which moto reads under the names of another interface."""
    properties = {name: value for name, value in cloudformation_json["Properties"].items() if name != "Tags"}
    return CREATE_KEY(resource_name, cloudformation_json | {"Properties": properties}, *rest, **about)


def rule_reference(rule):
    """What `!Ref` gives of a rule: its name, and before it the bus, if that is not the account's own."""
    return rule.name if rule.event_bus_name == "default" else f"{rule.event_bus_name}|{rule.name}"


def list_executions(_):
    """The run that a new pipeline starts by itself, which moto does not know. Nothing runs here."""
    return json.dumps({"pipelineExecutionSummaries": [{"pipelineExecutionId": "1", "status": "Succeeded"}]})


def serve():
    """Runs the server with the arguments of the command line."""
    parsing.clean_json, parsing.resource_class_from_type = clean, known_or_noted
    Key.create_from_cloudformation_json = create_key
    Rule.physical_resource_id = property(rule_reference)
    CodePipelineResponse.list_pipeline_executions = list_executions
    sagemaker.correct()
    main()
