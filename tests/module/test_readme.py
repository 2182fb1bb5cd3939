"""The README describes the module in SeedFarmer's form, and describes all of it."""

import re
import subprocess
from xml.etree import ElementTree

from project import PROMOTE, ROOT
from readme import README, inputs, output_example, sample_manifest

# What a SeedFarmer module of this kind has always taken and given.
ALWAYS = {
    "source_model_package_group_arn",
    "target_bucket_name",
    "event_bus_name",
    "target_model_package_group_name",
    "sagemaker_project_id",
    "sagemaker_project_name",
    "kms_key_arn",
    "retain_on_delete",
    "permissions_boundary_name",
}
# Flags for who calls `promote stack assembly` by hand; SeedFarmer says all of it in other ways.
BY_HAND = {"output_dir", "image_dir", "stack_name", "target_account", "target_region", "help", "version"}
FORM = ("Description", "Inputs", "Required", "Optional", "Sample manifest", "Module Metadata Outputs", "Output Example")


def test_every_input_of_the_stack_is_described_and_no_other():
    help_text = subprocess.run([PROMOTE, "stack", "assembly", "--help"], capture_output=True, text=True, check=True)
    flags = {flag.replace("-", "_") for flag in re.findall(r"^ +(?:-\w, )?--([a-z-]+)", help_text.stdout, re.MULTILINE)}
    assert inputs() == flags - BY_HAND
    assert inputs() >= ALWAYS


def test_the_readme_has_seedfarmers_sections_in_seedfarmers_order():
    headings = re.findall(r"^#+ (.*)", README, re.MULTILINE)
    places = [next(place for place, text in enumerate(headings) if text.startswith(name)) for name in FORM]
    assert places == sorted(places)


def test_the_sample_manifest_uses_inputs_that_are_described():
    names = {parameter["name"].replace("-", "_") for parameter in sample_manifest()["parameters"]}
    assert names <= inputs()


def test_the_output_example_has_the_four_outputs():
    assert set(output_example()) == {"PipelineArn", "PipelineName", "EventRuleArn", "EventRuleName"}


def test_the_picture_is_there_and_shows_both_accounts_the_bus_and_the_pipeline():
    (path,) = re.findall(r"!\[[^\]]+\]\((docs/[^)]+)\)", README)
    picture = ElementTree.parse(ROOT / path)
    texts = {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert texts >= {"Source account", "Target account", "Event bus", "Pipeline", "promote full"}
