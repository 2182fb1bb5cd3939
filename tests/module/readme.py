"""What the README says about the module: its inputs, its sample manifest and its output example."""

import json
import re

import yaml

from project import ROOT

README = (ROOT / "README.md").read_text()


def sample_manifest():
    """The manifest that users copy."""
    return yaml.safe_load(block("Sample manifest", "yaml"))


def output_example():
    """The metadata that users can expect."""
    return json.loads(block("Output Example", "json"))


def inputs():
    """The names of the inputs that are described."""
    return set(re.findall(r"^- `([\w-]+)`:", section("Input Parameters"), re.MULTILINE))


def block(heading, language):
    """The first code block of a section."""
    return section(heading).split(f"```{language}\n", 1)[1].split("```", 1)[0]


def section(heading):
    """The text below a heading, to the next one of its level or above."""
    level, rest = re.search(rf"^(#+) {heading}.*?$(.*)", README, re.MULTILINE | re.DOTALL).groups()
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]
