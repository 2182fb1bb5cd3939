"""Writes the template with the reasons of reasons.yaml as its resources' Metadata, for checkov and cdk-nag."""

import sys
from pathlib import Path

import yaml

HERE = Path(__file__).parent


def with_reasons():
    """The template's text; every resource that has reasons has to be in it."""
    text = (HERE.parent.parent / "stack/promote.yaml").read_text()
    for resource, metadata in yaml.safe_load((HERE / "reasons.yaml").read_text()).items():
        start = f"\n {resource}:\n"
        assert text.count(start) == 1, f"{resource} is no resource of the template"
        inserted = yaml.safe_dump({"Metadata": metadata}, width=1000)
        text = text.replace(start, start + "".join(f"  {line}\n" for line in inserted.splitlines()))
    return text


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(with_reasons())
