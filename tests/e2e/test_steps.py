"""The steps one at a time, and the run that only says what it would do."""

from stage import ONE_PRINCIPAL
from standins.principals import TARGET_BUCKET

SOURCE, TARGET = ONE_PRINCIPAL[:2], ONE_PRINCIPAL[2:]


def test_each_step_takes_the_document_of_the_step_before(stage):
    package = stage.register({"ModelDataUrl": stage.put("model.tar.gz", b"weights")})
    json = ("--output", "json")

    found = stage.run("find-latest", "--group", stage.group_arn, *SOURCE, *json)
    assert (found.code, found.document["source"]["model_package_arn"]) == (0, package), found.stderr

    copy = ("copy-artifacts", "--from", "-", "--target-bucket", TARGET_BUCKET)
    copied = stage.run(*copy, *SOURCE, *TARGET, *json, stdin=found.stdout)
    assert copied.code == 0, copied.stderr
    stage.assert_same_bytes(copied.document)
    assert stage.versions() == []

    registered = stage.run("register", "--from", "-", *SOURCE, *TARGET, *json, stdin=copied.stdout)
    assert (registered.code, registered.document["outcome"]) == (0, "promoted"), registered.stderr
    (version,) = stage.approved()
    assert version["ModelPackageArn"] == registered.document["target"]["model_package_arn"]

    again = stage.full()
    assert (again.code, again.document["outcome"]) == (0, "already-promoted"), again.stderr


def test_register_refuses_a_document_of_a_package_that_changed_since(stage):
    package = stage.register({"ModelDataUrl": stage.put("model.tar.gz", b"weights")})
    found = stage.run("find-latest", "--group", stage.group_arn, *SOURCE, "--output", "json")
    copy = ("copy-artifacts", "--from", "-", "--target-bucket", TARGET_BUCKET, *SOURCE, *TARGET, "--output", "json")
    copied = stage.run(*copy, stdin=found.stdout)
    assert copied.code == 0, copied.stderr
    stage.source_registry.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Rejected")
    run = stage.run("register", "--from", "-", *SOURCE, *TARGET, "--output", "json", stdin=copied.stdout)
    assert (run.code, run.failure["outcome"]) == (1, "failed")
    assert "changed" in run.stderr
    assert stage.versions() == []


def test_a_dry_run_plans_everything_and_writes_nothing(stage):
    stage.put_all({f"model/{number}.bin": b"%d" % number for number in range(3)})
    stage.register_prefix()
    planned = stage.full("--dry-run")
    assert (planned.code, planned.document["outcome"]) == (0, "planned"), planned.stderr
    assert not stage.group_exists() and stage.copies() == {}
    done = stage.promote()
    places = [{(a["source"], a["target"], a["bytes"]) for a in run["artifacts"]} for run in (planned.document, done)]
    assert places[0] == places[1]


def test_text_output_names_both_versions(stage):
    package = stage.register({"ModelDataUrl": stage.put("model.tar.gz", b"weights")})
    run = stage.run(*stage.full_command(output="text"))
    assert run.code == 0, run.stderr
    (version,) = stage.versions()
    assert package in run.stdout and version["ModelPackageArn"] in run.stdout
