"""The pipeline's stack: deployed, run once, and deleted."""

import json
import subprocess
import time

from botocore.exceptions import WaiterError

from acceptance.promotion import Failed, environment, expect

# The image's start and one promotion of a small model.
PATIENCE = 900
ENDED = ("Succeeded", "Failed", "Stopped", "Cancelled", "Superseded")


class Stack:
    """The stack of one run, in the target account."""

    def __init__(self, accounts, source, options):
        self.accounts, self.source, self.options = accounts, source, options
        self.cloudformation = accounts.target.session.client("cloudformation")
        self.pipelines = accounts.target.session.client("codepipeline")
        # How the pipeline's first run ended, or why there is none.
        self.status, self.failure = None, None

    def run(self, say):
        """Deploys the stack, waits for the pipeline's first run, and deletes the stack, also after a failure."""
        began = time.monotonic()
        try:
            outputs = self.deploy()
            say(f"ok  {time.monotonic() - began:5.1f} s  The stack is deployed: {outputs['PipelineName']}")
            self.status = self.first_run(outputs["PipelineName"])
            say(f"ok  {time.monotonic() - began:5.1f} s  The pipeline's first run: {self.status}")
        except Failed as error:
            self.failure = str(error)
            raise
        finally:
            self.delete()
        say(f"ok  {time.monotonic() - began:5.1f} s  The stack is deleted")

    def deploy(self):
        """Creates the stack, and returns its outputs."""
        commands = self.promote("template"), self.promote("parameters", *self.inputs())
        template, parameters = (subprocess_output(command) for command in commands)
        self.cloudformation.create_stack(
            StackName=self.accounts.name,
            TemplateBody=template,
            Parameters=json.loads(parameters),
            Capabilities=["CAPABILITY_IAM"],
        )
        self.wait("stack_create_complete")
        described = self.cloudformation.describe_stacks(StackName=self.accounts.name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def inputs(self):
        """The inputs of the stack."""
        accounts = self.accounts
        return (
            *("--source-model-package-group-arn", self.source.group_arn),
            *("--target-bucket-name", accounts.target_bucket),
            *("--target-model-package-group-name", accounts.target_group),
            *("--target-account", accounts.target.account),
            *("--target-region", accounts.region),
            *("--image-uri", self.options.stack_image),
            *("--image-repository-prefix", accounts.repository_prefix),
        )

    def promote(self, *arguments):
        """A command of `promote stack`."""
        return [str(self.options.promote), "stack", *arguments]

    def first_run(self, pipeline):
        """The status of the run that starts when the pipeline is created."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            runs = self.pipelines.list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"]
            if runs and runs[-1]["status"] in ENDED:
                status = runs[-1]["status"]
                if status != "Succeeded":
                    raise Failed(f"the pipeline's first run: {status}{self.errors(pipeline)}")
                return status
            time.sleep(5)
        raise Failed(f"the pipeline's first run has not ended after {PATIENCE} s")

    def errors(self, pipeline):
        """What the actions of the run say."""
        actions = self.pipelines.list_action_executions(pipelineName=pipeline)["actionExecutionDetails"]
        results = [action.get("output", {}).get("executionResult", {}) for action in actions]
        errors = [result.get("errorDetails", {}).get("message") for result in results]
        return "".join(f"; {error}" for error in errors if error)

    def delete(self):
        """Deletes the stack."""
        self.cloudformation.delete_stack(StackName=self.accounts.name)
        self.wait("stack_delete_complete")

    def wait(self, what):
        """Waits until CloudFormation is done."""
        waiter = self.cloudformation.get_waiter(what)
        try:
            waiter.wait(StackName=self.accounts.name, WaiterConfig={"Delay": 5, "MaxAttempts": PATIENCE // 5})
        except WaiterError as error:
            raise Failed(f"stack {self.accounts.name}: {self.reasons() or error}") from error

    def reasons(self):
        """Why resources of the stack failed."""
        events = self.cloudformation.describe_stack_events(StackName=self.accounts.name)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        return "; ".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed)


def subprocess_output(command):
    """What a command prints to standard output."""
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"`{' '.join(command[1:3])}` exits {done.returncode}: {done.stderr}")
    return done.stdout
