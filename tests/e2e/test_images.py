"""A container image goes along: its bytes are in the target's registry, as an OCI layout that Python checks itself, and
skopeo where it is installed."""

import hashlib
import json
import random
import shutil
import subprocess

from stage import TWO_PRINCIPALS
from standins.principals import REGION, SOURCE_ACCOUNT, TARGET_ACCOUNT

REGISTRY = "{}.dkr.ecr." + REGION + ".amazonaws.com"


def repository_of(stage):
    """A repository of this test only."""
    return stage.group.lower()


def registered(stage, layers):
    """Registers a version with an image of these layers, and returns the digest of the image."""
    digest = stage.aws.images.push(SOURCE_ACCOUNT, repository_of(stage), "1", *layers)
    image = f"{REGISTRY.format(SOURCE_ACCOUNT)}/{repository_of(stage)}:1"
    stage.register({"Image": image, "ModelDataUrl": stage.put("model.tar.gz", b"weights")})
    return digest


def check_layout(layout, digest):
    """Every manifest and layer that the image refers to is in the folder, with the size and digest that name it."""
    text = (layout / "blobs/sha256" / digest.partition(":")[2]).read_bytes()
    assert f"sha256:{hashlib.sha256(text).hexdigest()}" == digest
    parsed = json.loads(text)
    for child in parsed.get("manifests", []):
        check_layout(layout, child["digest"])
    for blob in [parsed["config"], *parsed["layers"]] if "config" in parsed else []:
        content = (layout / "blobs/sha256" / blob["digest"].partition(":")[2]).read_bytes()
        assert (f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)) == (blob["digest"], blob["size"])


def check_with_skopeo(skopeo, layout, digest):
    """skopeo, which compares each manifest and each layer that it reads, finds the image of this digest."""
    copy = layout.with_name("copy")
    command = [skopeo, "copy", "--all", "--preserve-digests", "--insecure-policy", "--quiet"]
    subprocess.run([*command, f"oci:{layout}:1", f"oci:{copy}:1"], check=True)
    (image,) = json.loads((copy / "index.json").read_text())["manifests"]
    assert image["digest"] == digest


def test_an_image_is_copied_between_two_accounts_and_named_by_its_digest(stage, tmp_path):
    layers = [random.Random(seed).randbytes(size) for seed, size in enumerate((11 << 20, 25 << 20, 77))]
    digest = registered(stage, layers)
    document = stage.full(principals=TWO_PRINCIPALS).document
    assert [image["result"] for image in document["images"]] == ["copied"]
    source = stage.aws.images.repositories[SOURCE_ACCOUNT, repository_of(stage)]
    target = stage.aws.images.repositories[TARGET_ACCOUNT, repository_of(stage)]
    target.write_layout(tmp_path / "layout", digest)
    check_layout(tmp_path / "layout", digest)
    if skopeo := shutil.which("skopeo"):
        check_with_skopeo(skopeo, tmp_path / "layout", digest)
    assert (target.manifests, target.layers) == (source.manifests, source.layers)
    assert list(target.tags) == [f"promote-sha256-{digest.partition(':')[2][:32]}"]
    (package,) = stage.versions()
    (container,) = package["InferenceSpecification"]["Containers"]
    assert container["Image"] == f"{REGISTRY.format(TARGET_ACCOUNT)}/{repository_of(stage)}@{digest}"


def test_an_image_that_is_there_is_not_copied_again(stage):
    registered(stage, [b"layer"])
    stage.promote()
    image = f"{REGISTRY.format(SOURCE_ACCOUNT)}/{repository_of(stage)}:1"
    stage.register({"Image": image, "ModelDataUrl": stage.put("again.tar.gz", b"other weights")})
    before = len(stage.aws.images.downloads)
    document = stage.promote()
    assert [image["result"] for image in document["images"]] == ["already-there"]
    assert len(stage.aws.images.downloads) == before
