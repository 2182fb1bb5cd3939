"""The target mirrors the source: what is rejected there is withdrawn here, and comes back with its approval."""

import itertools

import pytest

from standins.churn import IMAGE


def statuses(stage):
    """The approval status of each version of the target."""
    return [version["ModelApprovalStatus"] for version in stage.versions()]


def two_promoted(stage):
    """Two versions of the source, each promoted."""
    packages = []
    for number in (1, 2):
        model = stage.put(f"{number}/model.tar.gz", b"weights %d" % number)
        packages.append(stage.register({"ModelDataUrl": model}, CustomerMetadataProperties={"number": str(number)}))
        stage.promote()
    assert statuses(stage) == ["Approved", "Approved"]
    return packages


def theirs(stage):
    """A version that somebody in the target account has registered in the same group."""
    arn = stage.target_registry.create_model_package(
        ModelPackageGroupName=stage.target_group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={"Containers": [{"Image": IMAGE}]},
        CustomerMetadataProperties={"owner": "serving"},
    )["ModelPackageArn"]
    return described(stage, arn)


def described(stage, arn):
    """A version of the target, without what belongs to the answer itself."""
    answer = stage.target_registry.describe_model_package(ModelPackageName=arn)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_a_rejected_version_is_withdrawn_and_approved_again_while_the_older_one_stays(stage):
    _, second = two_promoted(stage)
    other, before = theirs(stage), stage.copies()
    older = described(stage, stage.versions()[0]["ModelPackageArn"])

    stage.decide(second, "Rejected", "Forgets the young")
    run = stage.full()
    assert (run.code, run.document["outcome"]) == (0, "already-promoted"), run.stderr
    assert [withdrawn["version"] for withdrawn in run.document["withdrawn"]] == [2]
    assert statuses(stage) == ["Approved", "Rejected", "Approved"]
    assert "Forgets the young" in stage.versions()[1]["ApprovalDescription"]
    assert described(stage, older["ModelPackageArn"]) == older
    assert before.items() <= stage.copies().items()

    stage.decide(second, "Approved", "It does not")
    run = stage.full()
    assert (run.code, run.document["outcome"]) == (0, "approved-again"), run.stderr
    assert statuses(stage) == ["Approved", "Approved", "Approved"]
    assert stage.versions()[1]["ApprovalDescription"] == "It does not"
    assert described(stage, other["ModelPackageArn"]) == other
    outcomes = [record["outcome"] for record in stage.records().values()]
    assert sorted(outcomes) == ["approved-again", "promoted", "promoted", "withdrawn"]


@pytest.mark.parametrize("order", [*itertools.permutations(["approve 1", "approve 2", "reject 2"])])
def test_events_in_any_order_each_doubled_come_to_what_the_source_says(stage, order):
    model = stage.put("model.tar.gz", b"weights")
    packages = [stage.register({"ModelDataUrl": model}, status="PendingManualApproval") for _ in range(2)]
    stage.target_registry.create_model_package_group(ModelPackageGroupName=stage.target_group)
    other = theirs(stage)
    for event in order:
        what, number = event.split()
        stage.decide(packages[int(number) - 1], {"approve": "Approved", "reject": "Rejected"}[what], event)
        for _ in range(2):
            run = stage.full("--into-existing-group")
            assert run.code == 0, run.stderr
            assert described(stage, other["ModelPackageArn"]) == other
            mirrors(stage, packages, other)


def mirrors(stage, packages, other):
    """Each version of the source has one copy at most, which is approved exactly when it is."""
    approvals = {
        arn: stage.source_registry.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] for arn in packages
    }
    copies = [version for version in stage.versions() if version["ModelPackageArn"] != other["ModelPackageArn"]]
    sources = [copy["CustomerMetadataProperties"]["promote:source-arn"] for copy in copies]
    assert len(set(sources)) == len(sources)
    for source, copy in zip(sources, copies, strict=True):
        assert (copy["ModelApprovalStatus"] == "Approved") == (approvals[source] == "Approved")
    latest = [arn for arn in packages if approvals[arn] == "Approved"][-1:]
    assert set(latest) <= set(sources)


def test_changed_metadata_is_brought_to_the_copy(stage):
    model = stage.put("model.tar.gz", b"weights")
    package = stage.register({"ModelDataUrl": model}, CustomerMetadataProperties={"team": "growth"})
    stage.promote()
    stage.source_registry.update_model_package(
        ModelPackageArn=package, CustomerMetadataProperties={"team": "risk"}, ModelApprovalStatus="Approved"
    )
    run = stage.full()
    assert (run.code, run.document["outcome"]) == (0, "updated"), run.stderr
    (version,) = stage.versions()
    assert version["CustomerMetadataProperties"]["team"] == "risk"
    assert version["CustomerMetadataProperties"]["promote:source-arn"] == package
    assert stage.full().document["outcome"] == "already-promoted"
