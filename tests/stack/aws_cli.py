"""Stands for the AWS CLI in tests of scripts: does what the commands do, in the folder AWS_STATE.

It has a file for each policy, and `calls` for what was called. A command that is not known, or that refers to what does
not exist, fails.
"""

import json
import os
import pathlib
import sys

STATE = pathlib.Path(os.environ["AWS_STATE"])
WORDS = sys.argv[1:]
OPTIONS = dict(zip(WORDS[2::2], WORDS[3::2], strict=False))
COMMAND = WORDS[1]
# The file of a policy, and the option that has it.
PUTS = {
    "put-model-package-group-policy": ("group", "--resource-policy"),
    "put-bucket-policy": ("bucket", "--policy"),
    "put-permission": ("bus", "--policy"),
    "put-key-policy": ("key", "--policy"),
    "set-repository-policy": ("repository", "--policy-text"),
}
# The file of a policy, and the error if there is none.
GETS = {
    "get-model-package-group-policy": ("group", "Cannot find resource policy for: x"),
    "get-bucket-policy": ("bucket", "NoSuchBucketPolicy"),
    "describe-event-bus": ("bus", None),
    "get-key-policy": ("key", "NotFoundException"),
    "get-repository-policy": ("repository", "RepositoryPolicyNotFoundException"),
}


def main():
    """Does one command."""
    with (STATE / "calls").open("a") as calls:
        print(*WORDS[:2], file=calls)
    if COMMAND == os.environ.get("AWS_DENIES"):
        fail(f"(AccessDenied): not authorized to perform {COMMAND}")
    if COMMAND in PUTS:
        name, option = PUTS[COMMAND]
        (STATE / name).write_text(given(option))
    elif COMMAND in GETS:
        get(*GETS[COMMAND])
    elif WORDS[0] == "iam" and "--role-name" in OPTIONS:
        role(OPTIONS["--role-name"])
    elif COMMAND.endswith("policy") or COMMAND.endswith(("policy-version", "policy-versions")):
        managed_policy()
    elif COMMAND == "get-caller-identity":
        print(os.environ["AWS_ACCOUNT"])
    elif COMMAND == "list-resources":
        print(os.environ.get("AWS_SHARES", ""))
    elif COMMAND == "list-model-package-groups":
        print(*os.environ["AWS_GROUPS"].split(), sep="\t")
    elif COMMAND == "put-rule":
        (STATE / f"rule-{OPTIONS['--name']}").write_text(given("--event-pattern"))
    elif COMMAND == "put-targets":
        target = dict(part.split("=", 1) for part in OPTIONS["--targets"].split(","))
        existing(f"rule-{OPTIONS['--rule']}", "ResourceNotFoundException")
        existing(f"trust-{target['RoleArn'].rpartition('/')[2]}", "ValidationException")
        (STATE / f"target-{OPTIONS['--rule']}").write_text(json.dumps(target))
    elif COMMAND == "get-resource-shares":
        print("share" if (STATE / "share").exists() else "None")
    elif COMMAND in ("create-resource-share", "associate-resource-share"):
        share()
    else:
        fail(f"unknown command: {' '.join(WORDS)}")


def role(name):
    """A role has a trust policy, policies of its own, and managed policies."""
    trust = f"trust-{name}"
    if COMMAND == "create-role":
        if (STATE / trust).exists():
            fail("(EntityAlreadyExists)")
        (STATE / trust).write_text(given("--assume-role-policy-document"))
    elif COMMAND == "get-role":
        print(existing(trust, "NoSuchEntity"))
    elif COMMAND == "update-assume-role-policy":
        existing(trust, "NoSuchEntity")
        (STATE / trust).write_text(given("--policy-document"))
    elif COMMAND == "put-role-policy":
        existing(trust, "NoSuchEntity")
        (STATE / f"policy-{name}-{OPTIONS['--policy-name']}").write_text(given("--policy-document"))
    elif COMMAND == "attach-role-policy":
        existing(trust, "NoSuchEntity")
        existing("versions", "NoSuchEntity")
    else:
        fail(f"unknown command: {' '.join(WORDS)}")


def managed_policy():
    """The numbers of the versions of one managed policy, the newest of which is the default."""
    kept = STATE / "versions"
    versions = json.loads(kept.read_text()) if kept.exists() else []
    if COMMAND == "create-policy":
        if versions:
            fail("(EntityAlreadyExists)")
        versions = [1]
    elif COMMAND == "create-policy-version":
        if len(versions) == 5:
            fail("(LimitExceeded)")
        versions.append(versions[-1] + 1)
    elif COMMAND == "delete-policy-version":
        versions.remove(int(OPTIONS["--version-id"].removeprefix("v")))
    else:
        assert COMMAND == "list-policy-versions"
        assert OPTIONS["--query"] == "reverse(sort_by(Versions[?!IsDefaultVersion], &CreateDate))[3:].VersionId"
        print(*("v" + str(number) for number in versions[:-1][::-1][3:]), sep="\t")
    kept.write_text(json.dumps(versions))


def share():
    """A resource share. Nothing but the ARNs follows the option."""
    shared = {"arns": WORDS[WORDS.index("--resource-arns") + 1 :]}
    if COMMAND == "create-resource-share":
        shared["file"] = json.loads(given("--cli-input-json"))
    (STATE / "share").write_text(json.dumps(shared))


def get(name, absent):
    """Prints a policy."""
    if (STATE / name).exists():
        print((STATE / name).read_text())
    elif absent:
        fail(absent)
    else:
        print("None")


def given(option):
    """The file that an option names."""
    assert OPTIONS[option].startswith("file://")
    return pathlib.Path(OPTIONS[option].removeprefix("file://")).read_text()


def existing(name, error):
    """The content of what has to exist."""
    if not (STATE / name).exists():
        fail(f"({error})")
    return (STATE / name).read_text()


def fail(error):
    """Ends as the AWS CLI does."""
    sys.exit(f"An error occurred {error}")


main()
