"""The demo's package on its whole way, with one principal and with two."""

import json

import pytest
from botocore.exceptions import ClientError

from stage import ONE_PRINCIPAL, TWO_PRINCIPALS, headers
from standins.churn import IMAGE
from standins.principals import SOURCE_BUCKETS, TARGET_BUCKET
from standins.proxy import artifact_bytes, counting

# What a version has from where it is, not from what it is.
OF_THE_PLACE = {"ResponseMetadata", "ModelPackageArn", "ModelPackageGroupName", "ModelPackageVersion"}
OF_THE_MOMENT = {"CreationTime", "CreatedBy", "LastModifiedTime", "LastModifiedBy", "ModelPackageStatusDetails"}


@pytest.mark.parametrize("mode", ["server-side", "auto"])
def test_one_principal_promotes_without_a_byte_of_an_artifact_passing_through(churn_stage, churn, mode):
    with counting(churn_stage.aws.objects) as (s3, calls):
        document = churn_stage.promote("--copy-mode", mode, environment=churn_stage.aws.environment(objects=s3))
    size = sum(artifact["bytes"] for artifact in document["artifacts"])
    assert size > 64 << 20
    assert artifact_bytes(calls) == 0
    # However a call is named: all bodies together, both ways, are a fraction of what was copied.
    assert sum(call.sent + call.received for call in calls) < size / 100
    assert {artifact["result"] for artifact in document["artifacts"]} == {"copied"}
    assert len(document["artifacts"]) == len(churn.objects)
    churn_stage.assert_same_bytes(document)


@pytest.mark.parametrize("mode", ["stream", "auto"])
def test_two_principals_that_cannot_see_the_other_side_promote_by_streaming(churn_stage, churn, mode):
    for principal, bucket in (("source", TARGET_BUCKET), *(("target", bucket) for bucket in SOURCE_BUCKETS)):
        with pytest.raises(ClientError, match="AccessDenied"):
            churn_stage.aws.client("s3", principal).list_objects_v2(Bucket=bucket)
    with counting(churn_stage.aws.objects) as (s3, calls):
        environment = churn_stage.aws.environment(objects=s3)
        document = churn_stage.promote("--copy-mode", mode, principals=TWO_PRINCIPALS, environment=environment)
    size = sum(artifact["bytes"] for artifact in document["artifacts"])
    assert sum(call.received for call in calls if call.operation == "GetObject") >= size
    assert "UploadPart" in {call.operation for call in calls}
    assert len(document["artifacts"]) == len(churn.objects)
    churn_stage.assert_same_bytes(document)


def test_server_side_alone_is_refused_where_the_target_may_not_read_the_source(churn_stage):
    run = churn_stage.full("--copy-mode", "server-side", principals=TWO_PRINCIPALS)
    assert (run.code, run.failure["outcome"]) == (1, "failed")
    assert "s3:GetObject" in run.stderr
    assert churn_stage.versions() == []


def test_every_field_arrives_and_only_references_are_rewritten(churn_stage, churn):
    document = churn_stage.promote()
    (target,) = churn_stage.versions()
    source = churn_stage.source_registry.describe_model_package(ModelPackageName=churn.package_arn)
    root = document["artifacts"][0]["target"].removesuffix(document["artifacts"][0]["source"].removeprefix("s3://"))
    expected = json.loads(json.dumps(of_the_model(source)).replace("s3://", root))
    arrived = of_the_model(target)
    metadata = arrived["CustomerMetadataProperties"]
    assert metadata["promote:source-arn"] == churn.package_arn
    (image,) = document["images"]
    for container in expected["InferenceSpecification"]["Containers"]:
        container |= {"Image": image["target"], "ImageDigest": image["digest"]}
    expected["CustomerMetadataProperties"] |= {key: metadata[key] for key in metadata if key.startswith("promote:")}
    assert arrived == expected
    assert arrived["ApprovalDescription"] == "AUC 0.91 on holdout, approved by M. Weber"


def of_the_model(package):
    """A described package without what belongs to its place and moment."""
    return {name: value for name, value in package.items() if name not in OF_THE_PLACE | OF_THE_MOMENT}


def test_the_document_says_what_was_promoted_where_from_and_where_to(churn_stage, churn, tmp_path):
    document = churn_stage.promote("--record", str(tmp_path / "record.json"))
    (target,) = churn_stage.versions()
    assert document["source"]["model_package_arn"] == churn.package_arn
    assert document["source"]["version"] == 3
    assert document["target"]["model_package_arn"] == target["ModelPackageArn"]
    assert document["target"]["version"] == 1
    assert {artifact["source"] for artifact in document["artifacts"]} == {f"s3://{b}/{k}" for b, k in churn.objects}
    assert {artifact["verified"] for artifact in document["artifacts"]} <= {"checksum", "etag"}
    (metrics,) = [artifact for artifact in document["artifacts"] if artifact["source"].endswith("/metrics.json")]
    assert len(metrics["fields"]) == 2, "the object that two fields refer to"
    assert [image["source"] for image in document["images"]] == [IMAGE]
    assert document["duration_ms"] > 0 and document["schema"] == 2
    assert json.loads((tmp_path / "record.json").read_text()) == document


def test_the_target_group_gets_the_source_groups_description_and_tags(churn_stage):
    churn_stage.promote()
    registry = churn_stage.target_registry
    group = registry.describe_model_package_group(ModelPackageGroupName=churn_stage.target_group)
    assert group["ModelPackageGroupDescription"] == "Who is about to leave, from a year of usage"
    tags = registry.list_tags(ResourceArn=group["ModelPackageGroupArn"])["Tags"]
    assert {(tag["Key"], tag["Value"]) for tag in tags} >= {("team", "retention"), ("cost-center", "4711")}


# Parts of 17 MiB are sent while they come, smaller ones are held until they are there.
@pytest.mark.parametrize(
    ("mode", "more"),
    [("server-side", ()), ("stream", ()), ("stream", ("--part-size=17MiB",))],
    ids=["server-side", "held", "passing"],
)
def test_content_type_headers_and_metadata_survive(stage, mode, more):
    described = {
        "ContentType": "application/x-model",
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="m.tar.gz"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "Metadata": {"trained-by": "weber", "run": "2026-11-02/7"},
    }
    small = stage.put("small", b"small", **described)
    # 20 MiB in three parts: more than one part however it is copied by streaming.
    parted = put_in_parts(stage, "parted", [b"1" * (8 << 20), b"2" * (8 << 20), b"3" * (4 << 20)], described)
    stage.register({"ModelDataUrl": small}, {"ModelDataUrl": parted})
    principals = TWO_PRINCIPALS if mode == "stream" else ONE_PRINCIPAL
    document = stage.promote("--copy-mode", mode, *more, principals=principals)
    for artifact in document["artifacts"]:
        assert headers(stage.read(artifact["target"])) == headers(stage.read(artifact["source"]))
    stage.assert_same_bytes(document)


def put_in_parts(stage, name, bodies, described):
    """A multipart upload, as the AWS CLI makes it of anything larger than 8 MiB."""
    place = {"Bucket": "source-models", "Key": f"{stage.group}/{name}"}
    upload = place | {"UploadId": stage.source_s3.create_multipart_upload(**place, **described)["UploadId"]}
    parts = [
        {"PartNumber": number, "ETag": stage.source_s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(bodies, 1)
    ]
    stage.source_s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    return stage.uri(name)
