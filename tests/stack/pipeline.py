"""The pipeline, played from its own definition and buildspec: each build runs as CodeBuild runs it."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from standins.principals import TARGET_BUCKET

# Seconds for a command: none takes longer, also if its calls wait for others.
TIMEOUT = 300
PROMOTE = Path(os.environ.get("PROMOTE_BIN", "target/debug/promote")).resolve()


@dataclass
class Build:
    """How a build ended."""

    code: int
    log: str
    variables: dict
    first: str = ""


class Pipeline:
    """A run of the pipeline, one action at a time. Artifacts pass from action to action."""

    def __init__(self, stack, aws, folder):
        self.project = stack.properties("Project")
        self.stages = stack.properties("Pipeline")["Stages"]
        self.aws, self.folder, self.artifacts = aws, folder, {}
        self.defaults = {one["Name"]: one["DefaultValue"] for one in stack.properties("Pipeline")["Variables"]}

    @property
    def names(self):
        """The actions in their order."""
        ordered = (sorted(stage["Actions"], key=lambda one: one.get("RunOrder", 1)) for stage in self.stages)
        return [action["Name"] for actions in ordered for action in actions]

    def action(self, name):
        """The definition of an action."""
        return next(one for stage in self.stages for one in stage["Actions"] if one["Name"] == name)

    def build(self, name, **variables):
        """Runs the build of an action, in an execution with these variables."""
        action, buildspec = self.action(name), yaml.safe_load(self.project["Source"]["BuildSpec"])
        source = self.folder / name
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir()
        script = [*buildspec["phases"]["build"]["commands"], "env -0 > exported"]
        environment = self.environment(action, source, self.defaults | variables)
        done = self.shell(script, source, environment)
        # Also after a build that fails.
        after = self.shell(buildspec["phases"]["post_build"]["commands"], source, environment)
        assert after.returncode == 0, after.stderr
        log = done.stdout + done.stderr + after.stdout + after.stderr
        if done.returncode != 0:
            return Build(done.returncode, log, {})
        for output in action.get("OutputArtifacts", []):
            self.artifacts[output["Name"]] = (source / buildspec["artifacts"]["files"]).read_bytes()
        exported = dict(one.split("=", 1) for one in (source / "exported").read_text().split("\0") if one)
        names = buildspec["env"]["exported-variables"]
        return Build(0, log, {one: exported[one] for one in names}, exported["PROMOTE_FIRST"])

    @staticmethod
    def shell(commands, folder, environment):
        """Runs the commands of a phase."""
        script = ["sh", "-ec", "\n".join(commands)]
        return subprocess.run(script, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT)

    def environment(self, action, source, pipeline):
        """The variables of a build: of the project, of the action, and of CodeBuild."""
        variables = {one["Name"]: str(one["Value"]) for one in self.project["Environment"]["EnvironmentVariables"]}
        given = json.loads(action["Configuration"].get("EnvironmentVariables", "[]"))
        of_pipeline = {f"#{{variables.{name}}}": value for name, value in pipeline.items()}
        variables |= {one["name"]: of_pipeline.get(one["value"], one["value"]) for one in given}
        variables |= {"PROMOTE_TARGET_BUCKET": TARGET_BUCKET, "PROMOTE_KMS_KEY_ARN": "", "PROMOTE_SIGN_KEY": ""}
        variables |= {"PROMOTE_SOURCE_ROLE_ARN": "", "PROMOTE_SOURCE_PROFILE": "source", "AWS_PROFILE": "pipeline"}
        variables["CODEBUILD_BUILD_ID"] = f"promote:{action['Name']}"
        variables["CODEBUILD_BUILD_URL"] = f"https://console.example/promote:{action['Name']}"
        inputs = [one["Name"] for one in action["InputArtifacts"]]
        primary = action["Configuration"].get("PrimarySource", inputs[0])
        assert primary == "Image"
        for name in set(inputs) - {primary}:
            folder = source.with_name(f"{source.name}-{name}")
            folder.mkdir(exist_ok=True)
            (folder / "promotion.json").write_bytes(self.artifacts[name])
            variables[f"CODEBUILD_SRC_DIR_{name}"] = str(folder)
        path = f"{PROMOTE.parent}{os.pathsep}{os.environ['PATH']}"
        return self.aws.environment() | variables | {"PATH": path}

    def request(self):
        """What the approver is told, and the link."""
        configuration = self.action("Approval")["Configuration"]
        texts = (configuration[name] for name in ("CustomData", "ExternalEntityLink"))
        return tuple(re.sub(r"#\{DryRun\.(\w+)\}", lambda match: self.reviewed.variables[match[1]], text) for text in texts)

    def run_until_review(self):
        """Everything before the approval."""
        withdrawn = self.build("Withdraw")
        assert withdrawn.code == 0, withdrawn.log
        self.reviewed = self.build("DryRun")
        assert self.reviewed.code == 0, self.reviewed.log

    def versions(self, group):
        """The promoted versions of a group: status by number."""
        registry = self.aws.client("sagemaker", "target")
        listed = registry.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
        return {one["ModelPackageVersion"]: one["ModelApprovalStatus"] for one in listed}
