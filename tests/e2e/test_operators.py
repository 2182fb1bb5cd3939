"""What operators do: ask what is missing, go back, hold, release."""

import json

from stage import ONE_PRINCIPAL
from standins.principals import TARGET_BUCKET

AT_ONCE = ("--settle-seconds", "0")


def operate(stage, verb, *arguments):
    """Runs a verb about the target group."""
    group = ("--target-group", stage.target_group, "--target-profile", "target", "--output", "json")
    run = stage.run(verb, *group, *arguments)
    assert run.code == 0, run.stderr
    return json.loads(run.stdout)


def statuses(stage):
    """The approval statuses of the promoted versions."""
    return [version["ModelApprovalStatus"] for version in sorted(stage.versions(), key=lambda one: one["ModelPackageVersion"])]


def test_what_was_rolled_back_is_not_approved_again_before_the_release(stage):
    for day in range(2):
        stage.register({"ModelDataUrl": stage.put(f"{day}.tar.gz", b"weights %d" % day)})
        stage.promote()
    done = operate(stage, "rollback", "--reason", "Latency alarm", *AT_ONCE)
    assert (done["outcome"], done["to"].rpartition("/")[2]) == ("rolled-back", "1")
    stage.register({"ModelDataUrl": stage.put("2.tar.gz", b"weights 2")})
    held = stage.full()
    assert (held.code, held.document["outcome"], held.document["hold"]["reason"]) == (0, "held", "Latency alarm")
    assert statuses(stage) == ["Approved", "Rejected"]
    # Of a hold that was released, nothing stays in force.
    assert operate(stage, "release")["outcome"] == "released"
    assert stage.promote()["outcome"] == "promoted"
    assert statuses(stage) == ["Approved", "Rejected", "Approved"]
    for version in stage.versions():
        verified = stage.run("verify", "--model-package", version["ModelPackageArn"], "--target-profile", "target")
        assert verified.code == 0, verified.stdout + verified.stderr


def test_doctor_leaves_nothing_behind(stage):
    stage.register({"ModelDataUrl": stage.put("model.tar.gz", b"weights")})
    target = ("--target-bucket", TARGET_BUCKET, "--target-group", stage.target_group)
    asked = stage.run("doctor", "--group", stage.group_arn, *ONE_PRINCIPAL, *target, "--output", "json")
    report = json.loads(asked.stdout)
    denied = [check for check in report["checks"] if check["result"] in ("denied", "missing")]
    assert not denied, denied
    assert stage.copies() == {} and stage.target_s3.list_multipart_uploads(Bucket=TARGET_BUCKET).get("Uploads", []) == []
    stage.promote()
