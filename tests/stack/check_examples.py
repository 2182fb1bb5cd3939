"""Checks the examples for adopters: the workflow, the promotions file, and the Terraform configuration."""

import configparser
import subprocess
import sys
from pathlib import Path

import hcl2
import yaml

EXAMPLES = Path("examples")
WORKFLOW = EXAMPLES / "pull-request" / "promotions.yml"
PROMOTIONS = EXAMPLES / "pull-request" / "promotions.yaml"
TERRAFORM = EXAMPLES / "terraform" / "main.tf"
TEMPLATE = Path("stack") / "promote.yaml"


def main():
    """Runs each check; the first that fails ends the script."""
    schema = [sys.executable, "-m", "check_jsonschema", "--quiet"]
    subprocess.run([*schema, "--builtin-schema", "vendor.github-workflows", WORKFLOW], check=True)
    subprocess.run([*schema, "--schemafile", "docs/promotions.schema.json", PROMOTIONS], check=True)
    zizmor = Path(sys.executable).with_name("zizmor")
    subprocess.run([zizmor, "--offline", "--no-progress", "--quiet", WORKFLOW], check=True)
    with TERRAFORM.open(encoding="utf-8") as file:
        stack = hcl2.load(file)["resource"][0]["aws_cloudformation_stack"]["promote"]
    check_parameters(set(only(stack["parameters"])))
    check_profiles(yaml.safe_load(PROMOTIONS.read_text(encoding="utf-8")))


def check_parameters(given):
    """Every parameter that the example sets exists, and every one without a default is set."""
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda *_: None)
    parameters = yaml.load(TEMPLATE.read_text(encoding="utf-8"), loader)["Parameters"]
    required = {name for name, parameter in parameters.items() if "Default" not in parameter}
    if unknown := given - set(parameters):
        sys.exit(f"{TERRAFORM}: the template has no parameter {', '.join(sorted(unknown))}")
    if missing := required - given:
        sys.exit(f"{TERRAFORM}: the template needs {', '.join(sorted(missing))}")


def check_profiles(promotions):
    """Each job has the profiles that the promotions file names, and no others."""
    named = set(profiles(promotions))
    for job in ("plan", "apply"):
        config = configparser.ConfigParser()
        config.read(PROMOTIONS.with_name(f"{job}.config"), encoding="utf-8")
        given = {section.removeprefix("profile ") for section in config.sections()}
        if given != named:
            sys.exit(f"{job}.config has the profiles {sorted(given)}, and the promotions file names {sorted(named)}")


def profiles(node):
    """The profiles that a document names."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from [value] if name == "profile" else profiles(value)


def only(block):
    """A block, which parsers return alone or in a list."""
    return block[0] if isinstance(block, list) else block


if __name__ == "__main__":
    main()
