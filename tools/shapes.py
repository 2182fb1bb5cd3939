"""Writes src/schema/shapes.json, what AWS accepts in a model package, from botocore's service model.

Run it with `make shapes` when the SDK gains a member (a test says so); then give the new member its treatment in
src/schema/members.rs and, if it can hold an S3 URL, its line in src/schema/references.rs.
"""

import gzip
import json
import re
import sys
from pathlib import Path

import botocore

ROOTS = ("CreateModelPackageInput", "DescribeModelPackageOutput", "UpdateModelPackageInput")
# The regex crate has no look-behind; group names are checked by their own type. In the customer metadata's
# patterns the quantifier stands behind an anchor; the lengths are members of the shape as well.
NOT_PORTABLE = re.compile(r"\(\?<!-\)|\$\{\d+,\d+\}$")
# A long repetition costs memory in the regex crate and says no more than `max` does.
LONG_REPETITION = re.compile(r"\{([01]),\d{3,}\}$")


def shape(model, name):
    """One shape as the tool reads it: its type, bounds, pattern and the names of the shapes below it."""
    given = model[name]
    out = {"type": given["type"]}
    if given["type"] == "structure":
        out["members"] = {member: target["shape"] for member, target in given["members"].items()}
        if given.get("required"):
            out["required"] = given["required"]
    elif given["type"] == "list":
        out["member"] = given["member"]["shape"]
    elif given["type"] == "map":
        out["key"], out["value"] = given["key"]["shape"], given["value"]["shape"]
    elif given["type"] == "long":
        out["type"] = "integer"
    for bound in ("min", "max"):
        if given.get(bound):
            out[bound] = given[bound]
    if "pattern" in given and given["pattern"] != r"[\S\s]*":
        portable = NOT_PORTABLE.sub("", given["pattern"])
        out["pattern"] = LONG_REPETITION.sub(lambda bound: "*+"[int(bound[1])], portable)
    return out


def below(described):
    """The names of the shapes that a shape refers to."""
    return [*described.get("members", {}).values(), *(described[k] for k in ("member", "key", "value") if k in described)]


def main():
    folder = Path(botocore.__file__).parent / "data/sagemaker/2017-07-24"
    with gzip.open(folder / "service-2.json.gz") as file:
        model = json.load(file)["shapes"]
    shapes, queue = {}, list(ROOTS)
    while queue:
        name = queue.pop(0)
        if name not in shapes:
            shapes[name] = shape(model, name)
            queue += below(shapes[name])
    out = Path(__file__).parent.parent / "src/schema/shapes.json"
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(described)}" for name, described in shapes.items())
    out.write_text(f"{{\n{lines}\n}}\n")
    print(f"{out.name}: {len(shapes)} shapes from botocore {botocore.__version__}", file=sys.stderr)


if __name__ == "__main__":
    main()
