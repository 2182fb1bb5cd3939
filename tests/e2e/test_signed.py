"""Verified and signed: moto's KMS signs, another library checks."""

import base64
import hashlib
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TARGET = ("--target-profile", "pipeline")


@pytest.fixture
def key(stage):
    """The ARN of a new key of the target account, and its public half."""
    kms = stage.aws.client("kms", "target")
    arn = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    return arn, serialization.load_der_public_key(kms.get_public_key(KeyId=arn)["PublicKey"])


def promoted(stage, *arguments):
    """A promotion, its record's URI and its document."""
    stage.register({"ModelDataUrl": stage.put("model.tar.gz", b"weights")})
    document = stage.promote(*arguments)
    return document["target"]["folder"] + "promotion.json", document["target"]["model_package_arn"]


def test_the_signature_holds_for_another_library_and_only_for_this_record(stage, key):
    arn, public = key
    record, _ = promoted(stage, "--sign-key", arn)
    envelope = json.load(stage.read(record + ".dsse")["Body"])
    payload = base64.b64decode(envelope["payload"])
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    kind = envelope["payloadType"]
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        public.verify(signature, message + b" ", ec.ECDSA(hashes.SHA256()))
    digest = hashlib.sha256(stage.read(record)["Body"].read()).hexdigest()
    assert json.loads(payload)["subject"] == [{"name": record, "digest": {"sha256": digest}}]


def test_verify_passes_what_is_untouched_and_names_what_is_not(stage, key, tmp_path):
    arn, public = key
    record, package = promoted(stage, "--sign-key", arn)
    pem = tmp_path / "key.pem"
    pem.write_bytes(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    verify = ("verify", "--model-package", package, *TARGET, "--output", "json")
    for more in ((), ("--sign-key", arn), ("--public-key", str(pem)), ("--deep", "--source-profile", "source")):
        run = stage.run(*verify, *more)
        assert run.code == 0, run.stdout + run.stderr
        assert json.loads(run.stdout)["outcome"] == "identical"
    (copy,) = [key for key in stage.copies() if key.endswith("model.tar.gz")]
    stage.target_s3.put_object(Bucket=record.split("/")[2], Key=copy, Body=b"Weights")
    run = stage.run(*verify)
    findings = json.loads(run.stdout)["findings"]
    assert run.code == 5
    assert [finding["name"].rpartition("/")[2] for finding in findings if finding["verdict"] == "changed"] == ["model.tar.gz"]


def test_status_shows_what_is_promoted(stage):
    promoted(stage)
    status = ("status", "--group", stage.group_arn, "--source-profile", "source", *TARGET, "--output", "json")
    run = stage.run(*status)
    assert run.code == 0, run.stderr
    assert [row["state"] for row in json.loads(run.stdout)["versions"]] == ["promoted"]
