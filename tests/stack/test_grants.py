"""The scripts that `promote stack source-grants` writes, run with an `aws` that does what they say (aws_cli.py)."""

import json
import os
import subprocess
import sys

import pytest
from conftest import ACCOUNT, GROUP_ARN, PATTERN_ARN, ROOT

from standins.principals import REGION, SOURCE_ACCOUNT

INPUTS = {
    "source-model-package-group-arn": GROUP_ARN,
    "target-account": ACCOUNT,
    "target-region": REGION,
    "stack-name": "promote-churn",
    "source-bucket-names": "models",
    "event-bus-name": "mlops-bus",
}
FRAUD = GROUP_ARN.replace("Churn-Model", "fraud")
OTHERS = {"Sid": "Others", "Effect": "Allow", "Principal": "*", "Action": "x:y", "Resource": "*"}


@pytest.fixture
def world(tmp_path):
    """Writes the grants for some inputs and runs one of the scripts."""

    class World:
        state = tmp_path / "state"
        folder = tmp_path / "grants"

        def write(self, folder="grants", **inputs):
            self.folder = tmp_path / folder
            flags = [part for name, value in (INPUTS | inputs).items() for part in (f"--{name}", value)]
            command = [ROOT / "target/debug/promote", "stack", "source-grants", "--output-dir", self.folder, *flags]
            subprocess.run(command, check=True, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})

        def apply(self, side="source", account=SOURCE_ACCOUNT, credentials=None, **variables):
            environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "AWS_STATE": str(self.state)}
            environment |= {"AWS_ACCOUNT": credentials or account} | variables
            script = self.folder / f"apply-{side}-{account}.sh"
            return subprocess.run(["bash", script], capture_output=True, text=True, env=environment)

        def applied(self, *arguments, **variables):
            run = self.apply(*arguments, **variables)
            assert run.returncode == 0, run.stdout + run.stderr
            return run

        def policy(self, name):
            return json.loads((self.state / name).read_text())

        def calls(self):
            return (self.state / "calls").read_text().splitlines()

        def keep(self, name, *statements):
            (self.state / name).write_text(json.dumps({"Version": "2008-10-17", "Statement": list(statements)}))

    world = World()
    world.state.mkdir()
    (tmp_path / "aws").write_text(f"#!{sys.executable}\n" + (ROOT / "tests/stack/aws_cli.py").read_text())
    (tmp_path / "aws").chmod(0o755)
    world.write()
    return world


def sids(policy):
    return [statement["Sid"] for statement in policy["Statement"]]


def test_a_first_time_sets_every_policy_and_the_rule(world):
    run = world.applied()
    assert len(sids(world.policy("group"))) == len(sids(world.policy("bucket"))) == 2
    calls = world.calls()
    assert {"iam create-role", "iam put-role-policy", "events put-rule", "events put-targets"} <= set(calls)
    assert "kms put-key-policy" not in calls and "ecr set-repository-policy" not in calls, "none is named"
    world.applied("target", ACCOUNT)
    assert sids(world.policy("bus")) == [f"PromoteEventsOf{SOURCE_ACCOUNT}"]


def test_statements_of_others_stay_and_a_second_time_changes_nothing(world):
    world.keep("bucket", OTHERS, {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"})
    world.keep("group", OTHERS)
    world.applied()
    first = world.policy("bucket"), world.policy("group")
    assert [one.get("Sid", "")[:7] for one in first[0]["Statement"]] == ["Others", "", "Promote", "Promote"]
    assert first[0]["Version"] == "2008-10-17" and sids(first[1])[0] == "Others"
    world.applied()
    assert (world.policy("bucket"), world.policy("group")) == first


def test_a_second_group_and_a_second_target_take_nothing_from_the_first(world):
    world.applied()
    first = set(sids(world.policy("bucket")))
    for other in (
        {"folder": "fraud", "source-model-package-group-arn": FRAUD, "stack-name": "promote-fraud"},
        {"folder": "another-target", "target-account": "555666777888"},
    ):
        world.write(**other)
        world.applied()
    assert first < set(sids(world.policy("bucket"))) and len(world.policy("bucket")["Statement"]) == 6


def test_the_rule_has_a_role_that_events_assume_and_that_may_put_them_on_the_bus(world):
    for _ in range(2):
        run = world.applied()
        (name,) = (one.name.removeprefix("rule-") for one in world.state.glob("rule-*"))
        (trust,) = world.policy(f"trust-{name}")["Statement"]
        assert (trust["Principal"], trust["Action"]) == ({"Service": "events.amazonaws.com"}, "sts:AssumeRole")
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": SOURCE_ACCOUNT}}
        (puts,) = world.policy(f"policy-{name}-{name}")["Statement"]
        target = world.policy(f"target-{name}")
        assert (puts["Action"], puts["Resource"]) == (["events:PutEvents"], target["Arn"])
        assert target["Arn"].endswith(f":{ACCOUNT}:event-bus/mlops-bus")
        group = world.policy(f"rule-{name}")["detail"]["ModelPackageGroupName"]
        assert group == [{"equals-ignore-case": "Churn-Model"}]
        # A role of this name that something else trusts: the second time renews its trust policy.
        world.keep(f"trust-{name}", OTHERS)
    assert "iam update-assume-role-policy" in world.calls()


def test_the_trust_policy_of_the_reader_lets_each_stack_in_and_keeps_the_others(world):
    reader = {"source-role-arn": f"arn:aws:iam::{SOURCE_ACCOUNT}:role/reader"}
    world.keep("trust-reader", OTHERS)
    fraud = {"source-model-package-group-arn": FRAUD, "stack-name": "promote-fraud"}
    for folder, inputs in (("churn", {}), ("fraud", fraud), ("again", {})):
        world.write(folder, **reader, **inputs)
        run = world.applied()
    others, *own = world.policy("trust-reader")["Statement"]
    assert others == OTHERS
    # The statement that was written last is the last one.
    for statement, stack in zip(own, ("promote-fraud", "promote-churn"), strict=True):
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        assert statement["Action"] == ["sts:AssumeRole"]
        roles = {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/{stack}-BuildRole-*"}
        assert statement["Condition"] == {"ArnLike": roles}
    assert len(list(world.state.glob("policy-reader-*"))) == 2, "each group has a policy of its own"


@pytest.mark.parametrize(("key", "region"), [(None, "*"), ("us-east-1", "us-east-1")])
def test_the_reader_uses_keys_of_every_region_unless_one_is_named(world, key, region):
    arn = f"arn:aws:kms:{region}:{SOURCE_ACCOUNT}:key/{'1234' if key else '*'}"
    named = {"source-kms-key-arn": arn} if key else {}
    world.keep("trust-reader", OTHERS)
    world.keep("key", OTHERS)
    world.write("reader", **{"source-role-arn": f"arn:aws:iam::{SOURCE_ACCOUNT}:role/reader"}, **named)
    run = world.applied()
    (policy,) = world.state.glob("policy-reader-*")
    statements = {one["Sid"]: one for one in json.loads(policy.read_text())["Statement"]}
    used = statements["DecryptTheArtifacts"]
    (services,) = (keys["kms:ViaService"] for keys in used["Condition"].values())
    assert (used["Resource"], services) == (arn, [f"s3.{region}.amazonaws.com", f"sagemaker.{region}.amazonaws.com"])


def test_a_reader_that_does_not_exist_is_named_and_the_other_steps_are_taken(world):
    world.write("reader", **{"source-role-arn": f"arn:aws:iam::{SOURCE_ACCOUNT}:role/reader"})
    run = world.apply()
    assert run.returncode == 1 and "trust policy of" in run.stderr and "NoSuchEntity" in run.stderr
    assert not (world.state / "trust-reader").exists() and world.policy("bucket")


def test_the_role_of_the_stack_replaces_the_names_that_it_could_have(world):
    world.applied()
    before = sids(world.policy("bucket"))
    role = f"arn:aws:iam::{ACCOUNT}:role/promote-churn-BuildRole-1"
    world.write(**{"build-role-arn": role})
    world.applied()
    assert sids(world.policy("bucket")) == before
    assert {one["Principal"]["AWS"] for one in world.policy("bucket")["Statement"]} == {role}


@pytest.mark.parametrize("denied", ["get-bucket-policy", "get-model-package-group-policy"])
def test_a_policy_that_cannot_be_read_is_not_replaced(world, denied):
    world.keep("bucket", OTHERS)
    world.keep("group", OTHERS)
    run = world.apply(AWS_DENIES=denied)
    assert run.returncode == 1 and f"not authorized to perform {denied}" in run.stderr
    assert sids(world.policy("group" if "group" in denied else "bucket")) == ["Others"]


def test_the_policy_of_a_named_repository_is_merged(world):
    world.keep("repository", OTHERS)
    world.write("images", **{"image-repository-names": "team/serve"})
    for _ in range(2):
        run = world.applied()
        others, promote = world.policy("repository")["Statement"]
        assert others == OTHERS and promote["Sid"].startswith("PromoteChurnModelReadsImages")
        assert "ecr:GetDownloadUrlForLayer" in promote["Action"] and "Resource" not in promote
    assert "ecr set-repository-policy" in world.calls()


def test_the_policies_before_are_kept(world):
    world.keep("bucket", OTHERS)
    world.applied()
    assert any(json.loads(one.read_text())["Statement"] == [OTHERS] for one in world.folder.glob("before/*/*-bucket-models.json"))


def test_credentials_of_another_account_change_nothing(world):
    run = world.apply(credentials=ACCOUNT)
    assert run.returncode == 1 and f"for account {ACCOUNT}, not for {SOURCE_ACCOUNT}" in run.stderr
    assert world.calls() == ["sts get-caller-identity"]


def test_a_group_in_a_resource_share_is_skipped_with_a_remark_and_the_other_steps_are_taken(world):
    share = f"arn:aws:ram:{REGION}:{SOURCE_ACCOUNT}:resource-share/1"
    run = world.apply(AWS_SHARES=share)
    assert run.returncode == 0 and share in run.stdout and not (world.state / "group").exists()
    assert "skipped: " in run.stdout.splitlines()[-1] and "model package group Churn-Model" in run.stdout.splitlines()[-1]
    assert world.policy("bucket") and "events put-rule" in world.calls()
    world.applied(AWS_SHARES=share, REPLACE_SHARE_POLICY="1")
    run = world.apply(AWS_DENIES="list-resources")
    assert run.returncode == 0 and "unknown whether" in run.stderr


def test_keys_and_repositories_are_those_that_are_named(world):
    world.keep("key", OTHERS)
    key = f"arn:aws:kms:us-east-1:{SOURCE_ACCOUNT}:key/1"
    run = world.applied(KEYS=key, REPOSITORIES="churn/serving")
    assert sids(world.policy("key"))[0] == "Others" and len(sids(world.policy("key"))) == 2
    (sid,) = sids(world.policy("repository"))
    assert sid.startswith("PromoteChurnModelReadsImages")
    world.write("kept", images="keep")
    world.applied(KEYS=key, REPOSITORIES="churn/serving")
    assert sids(world.policy("repository")) == [sid, f"PromoteImagesFor{ACCOUNT}"], "SageMaker pulls what is kept"


def test_a_bucket_of_a_third_account_is_named_and_key_and_rule_are_still_set(world):
    world.keep("key", OTHERS)
    key = f"arn:aws:kms:us-east-1:{SOURCE_ACCOUNT}:key/1"
    run = world.apply(KEYS=key, AWS_DENIES="get-bucket-policy")
    assert run.returncode == 1
    assert run.stderr.count("error: not done: ") == 1 and "bucket models" in run.stderr.split("error: not done: ")[1]
    assert "hint: " in run.stderr
    assert len(sids(world.policy("key"))) == 2 and "events put-targets" in world.calls()


def test_a_fifth_renewal_of_a_managed_policy_makes_room_for_it(world):
    role = f"arn:aws:iam::{SOURCE_ACCOUNT}:role/reader"
    world.keep("trust-reader", OTHERS)
    world.write("reader", **{"source-role-arn": role, "source-bucket-names": ",".join(f"models-{n}" for n in range(11))})
    for _ in range(8):
        run = world.applied()
    versions = json.loads((world.state / "versions").read_text())
    assert len(versions) == 5 and versions[-1] == 8, "IAM keeps five, of which the newest is the default"


def test_the_grants_for_another_group_do_not_replace_those_in_a_folder(world):
    before = {one.name: one.read_bytes() for one in world.folder.iterdir()}
    with pytest.raises(subprocess.CalledProcessError) as refused:
        world.write(**{"source-model-package-group-arn": FRAUD})
    assert refused.value.returncode == 2
    assert "--output-dir" in refused.value.stderr and "churn-model" in refused.value.stderr
    assert {one.name: one.read_bytes() for one in world.folder.iterdir()} == before
    world.write(**{"build-role-arn": f"arn:aws:iam::{ACCOUNT}:role/promote-churn-BuildRole-1"})
    assert {one.name for one in world.folder.iterdir()} == set(before), "the same group is written again"


def test_the_groups_that_match_a_pattern_are_in_one_resource_share(world):
    groups = {name: GROUP_ARN.replace("Churn-Model", name) for name in ("Team-a", "team-b", "other", "a-team-c")}
    world.write("many", **{"source-model-package-group-arn": PATTERN_ARN})
    run = world.applied(AWS_GROUPS=" ".join(groups.values()))
    share = world.policy("share")
    assert share["arns"] == [groups["Team-a"], groups["team-b"]] and share["file"]["principals"] == [ACCOUNT]
    run = world.apply(AWS_GROUPS=groups["Team-a"])
    assert run.returncode == 0 and world.policy("share") == {"arns": [groups["Team-a"]]}, "the share is added to"
    assert world.calls().count("ram create-resource-share") == 1
    assert "sagemaker put-model-package-group-policy" not in world.calls()


def test_a_pattern_that_no_group_matches_yet_is_told(world):
    world.write("many", **{"source-model-package-group-arn": PATTERN_ARN})
    run = world.apply(AWS_GROUPS=GROUP_ARN)
    assert run.returncode == 1 and "resource share of the groups Team-*" in run.stderr
    assert world.policy("bucket") and "ram create-resource-share" not in world.calls()
