"""The review, from the pipeline's own definition and buildspec: each build runs as CodeBuild runs it."""

import json
import os
import subprocess

import pytest
import yaml
from pipeline import Pipeline

from standins import cloud
from standins.churn import GROUP, GROUP_ARN, IMAGE, seed_churn
from standins.principals import REGION, SOURCE_ACCOUNT, SOURCE_BUCKETS, TARGET_ACCOUNT

REVIEWED = {"review-before-promotion": "true", "source-model-package-group-arn": GROUP_ARN}


@pytest.fixture(scope="module")
def reviewed(deploy):
    """A stack with a review."""
    return deploy("reviewed", REVIEWED)


@pytest.fixture
def pipeline(reviewed, tmp_path):
    """The pipeline of a stack with a review, and two accounts with something to promote."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        with cloud() as aws:
            churn = seed_churn(aws)
            # Whoever registers versions may choose their metadata.
            aws.client("sagemaker", "source").update_model_package(
                ModelPackageArn=churn.package_arn, CustomerMetadataProperties={"digest": f"sha256:{'0' * 64}"}
            )
            yield Pipeline(reviewed, aws, tmp_path)


def decide(aws, number, status):
    """The source decides about a version."""
    arn = GROUP_ARN.replace(f"model-package-group/{GROUP}", f"model-package/{GROUP.lower()}/{number}")
    aws.client("sagemaker", "source").update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription="Decided anew"
    )


def test_what_was_reviewed_is_promoted(pipeline):
    assert pipeline.names == ["Image", "Withdraw", "DryRun", "Approval", "Promote"]
    pipeline.run_until_review()
    assert pipeline.versions(GROUP) == {}
    planned = json.loads(pipeline.artifacts["Plan"])
    assert pipeline.request() == (f"Plan {planned['plan']['digest']}", "https://console.example/promote:DryRun")
    done = pipeline.build("Promote")
    assert done.code == 0, done.log
    assert pipeline.versions(GROUP) == {1: "Approved"}


def images_of(pipeline, account):
    """The image of the version in the registry of an account: repository and digest."""
    name = IMAGE.rpartition("/")[2].split(":")[0]
    (repository,) = [found for (owner, one), found in pipeline.aws.images.repositories.items() if (owner, one) == (account, name)]
    return repository


def test_the_image_that_was_reviewed_is_copied_and_is_what_the_promoted_version_runs(pipeline):
    pipeline.run_until_review()
    owners = {owner for owner, _ in pipeline.aws.images.repositories}
    assert owners == {SOURCE_ACCOUNT}, "a dry run writes nothing"
    (planned,) = json.loads(pipeline.artifacts["Plan"])["images"]
    done = pipeline.build("Promote")
    assert done.code == 0, done.log
    source, target = (images_of(pipeline, account) for account in (SOURCE_ACCOUNT, TARGET_ACCOUNT))
    digest = source.tags[IMAGE.rpartition(":")[2]]
    assert planned["digest"] == digest and (target.manifests, target.layers) == (source.manifests, source.layers)
    registry = pipeline.aws.client("sagemaker", "target")
    (version,) = registry.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]
    promoted = registry.describe_model_package(ModelPackageName=version["ModelPackageArn"])
    images = {one["Image"] for one in promoted["InferenceSpecification"]["Containers"]}
    assert images == {planned["target"]}
    assert planned["target"].startswith(f"{TARGET_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/")


def test_another_version_that_was_approved_meanwhile_is_not_promoted(pipeline):
    pipeline.run_until_review()
    decide(pipeline.aws, 4, "Approved")
    done = pipeline.build("Promote")
    assert done.code == 1 and "cannot be carried out any more" in " ".join(done.log.split()), done.log
    assert pipeline.versions(GROUP) == {}


def test_a_withdrawal_does_not_wait_for_the_review(pipeline):
    pipeline.run_until_review()
    assert pipeline.build("Promote").code == 0
    decide(pipeline.aws, 3, "Rejected")
    pipeline.run_until_review()
    assert pipeline.versions(GROUP) == {1: "Rejected"}


def test_an_image_alone_is_what_a_pipeline_without_a_review_passes_on(deploy):
    stack = deploy("unreviewed", {"source-model-package-group-arn": GROUP_ARN})
    stages = stack.properties("Pipeline")["Stages"]
    assert [stage["Name"] for stage in stages] == ["Image", "Promote"]
    (promote,) = stages[1]["Actions"]
    assert promote["InputArtifacts"] == [{"Name": "Image"}]
    assert "PrimarySource" not in promote["Configuration"]


@pytest.mark.parametrize("build", ["DryRun", "Promote"])
def test_a_build_that_fails_ends_with_what_the_promotion_lacks(pipeline, build):
    pipeline.run_until_review()
    bucket, key = SOURCE_BUCKETS[0], "churn/2026-11-02/model.tar.gz"
    pipeline.aws.client("s3", "source").delete_object(Bucket=bucket, Key=key)
    failed = pipeline.build(build)
    assert (failed.code, pipeline.versions(GROUP)) == (1, {})
    assert "error: " in failed.log and "Outcome    1 missing" in failed.log, failed.log
    assert f"s3://{bucket}/{key}" in failed.log[failed.log.index("Outcome    1 missing") :], failed.log


# A run that fails, or whose last steps fail, may lack permissions. Wrong arguments are wrong for doctor too, and a
# build that is stopped has no time for it.
@pytest.mark.parametrize(("code", "asks"), [(0, False), (1, True), (2, False), (3, True), (4, False), (130, False)])
@pytest.mark.parametrize("doctor", [0, 1, 3])
def test_a_build_that_fails_runs_doctor_where_it_helps_and_keeps_its_exit_code(reviewed, tmp_path, code, asks, doctor):
    buildspec = yaml.safe_load(reviewed.properties("Project")["Source"]["BuildSpec"])
    program = tmp_path / "promote"
    answers = f'[ "$1" != doctor ] || {{ echo "$1 $PROMOTE_RECORD" >&2; exit {doctor}; }}'
    program.write_text(f"#!/bin/sh\n{answers}\nexit {code}\n")
    program.chmod(0o755)
    (tmp_path / "promotion.json").write_text("{}")
    script = "\n".join(buildspec["phases"]["build"]["commands"])
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "PROMOTE_RECORD": "promotion.json"}
    done = subprocess.run(["sh", "-ec", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, "doctor \n" if asks else "")


def test_a_build_on_lambda_has_the_time_limit_of_lambda(deploy):
    group = {"source-model-package-group-arn": GROUP_ARN}
    general, fast = deploy("general", group), deploy("fast", group | {"compute-type": "BUILD_LAMBDA_2GB"})
    kinds = [stack.properties("Project")["Environment"]["Type"] for stack in (general, fast)]
    assert kinds == ["LINUX_CONTAINER", "LINUX_LAMBDA_CONTAINER"]
    assert general.properties("Project")["TimeoutInMinutes"] == "60"
    assert "TimeoutInMinutes" not in fast.properties("Project")
