"""Which version is promoted, and how often."""

import pytest

from stage import ONE_PRINCIPAL
from standins.churn import IMAGE


def test_of_150_versions_the_highest_of_the_three_approved_is_promoted(stage):
    model = stage.put("model.tar.gz", b"weights")
    # More than a page of the listing is newer than all of them.
    statuses = {version: "Approved" for version in (3, 20, 41)}
    packages = [
        stage.register({"ModelDataUrl": model}, status=statuses.get(version, "PendingManualApproval"))
        for version in range(1, 151)
    ]
    document = stage.promote()
    assert document["source"]["model_package_arn"] == packages[40]
    assert document["source"]["version"] == 41
    assert len(stage.versions()) == 1


def test_a_version_asked_for_by_number_is_promoted(stage):
    packages = [stage.register({"ModelDataUrl": stage.put(f"{day}.tar.gz", b"weights")}) for day in range(3)]
    document = stage.promote("--package-version", "2")
    assert document["source"]["model_package_arn"] == packages[1]
    assert [artifact["source"] for artifact in document["artifacts"]] == [stage.uri("1.tar.gz")]


def test_a_second_run_finds_it_promoted_and_adds_nothing(stage):
    stage.register({"ModelDataUrl": stage.put("model.tar.gz", b"weights")})
    first = stage.promote()
    before = stage.copies().keys()
    second = stage.full()
    assert (second.code, second.document["outcome"]) == (0, "already-promoted"), second.stderr
    assert second.document["target"]["model_package_arn"] == first["target"]["model_package_arn"]
    assert stage.copies().keys() == before
    assert len(stage.versions()) == 1


def test_the_next_approved_version_becomes_a_second_version_with_files_of_its_own(stage):
    model = stage.put("model.tar.gz", b"old weights")
    stage.register({"ModelDataUrl": model})
    first = stage.promote()
    # The same key with other bytes: the first promotion must not change.
    stage.put("model.tar.gz", b"new weights")
    stage.register({"ModelDataUrl": model})
    second = stage.promote()
    assert [version["ModelPackageVersion"] for version in stage.approved()] == [1, 2]
    copies = [document["artifacts"][0]["target"] for document in (first, second)]
    assert stage.bodies(copies) == [b"old weights", b"new weights"]


@pytest.mark.parametrize("attempt", range(3))
def test_two_runs_at_once_end_with_one_approved_version(stage, attempt):
    stage.put_all({f"model/{number}.bin": b"%d" % number for number in range(20)})
    stage.register_prefix()
    runs = [stage.start(*stage.full_command()) for _ in range(2)]
    ended = [(*run.communicate(timeout=120), run.returncode) for run in runs]
    assert [code for *_, code in ended] == [0, 0], ended
    assert len(stage.approved()) == 1


def test_approval_can_be_left_to_the_target(stage):
    stage.register({"ModelDataUrl": stage.put("model.tar.gz", b"weights")})
    stage.promote("--approval", "pending")
    assert [version["ModelApprovalStatus"] for version in stage.versions()] == ["PendingManualApproval"]


def test_a_group_without_an_approved_version_is_no_error_for_full(stage):
    stage.register({"Image": IMAGE}, status="PendingManualApproval")
    stage.register({"Image": IMAGE}, status="Rejected")
    run = stage.full()
    assert (run.code, run.document["outcome"]) == (0, "nothing-approved"), run.stderr
    assert not stage.group_exists() and stage.copies() == {}


def test_find_latest_exits_with_4_and_counts_the_versions_when_none_is_approved(stage):
    for status in ("PendingManualApproval", "PendingManualApproval", "Rejected"):
        stage.register({"Image": IMAGE}, status=status)
    run = stage.run("find-latest", "--group", stage.group_arn, *ONE_PRINCIPAL[:2])
    assert run.code == 4
    said = run.stdout + run.stderr
    assert all(part in said for part in ("3 versions", "2 PendingManualApproval", "1 Rejected")), said


def test_the_status_of_a_group_that_does_not_exist_is_refused(stage):
    group = stage.group_arn + "-nowhere"
    run = stage.run("status", "--group", group, "--source-profile", "source", "--target-profile", "target")
    assert run.code == 1 and f"there is no group {group}" in run.stderr, run
