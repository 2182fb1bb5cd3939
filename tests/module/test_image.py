"""The image, built from what SeedFarmer bundles, and a promotion from inside it."""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

import image
from conftest import leave_out, sample_project
from standins.churn import GROUP, seed_churn
from tests.e2e.stage import Stage

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def buildah():
    """Buildah in a folder of its own, of which nothing is left: no file, no mount, no process."""
    if reason := image.why_not():
        leave_out(reason)
    folder = Path(image.LOCAL, f"buildah-{os.getpid()}")
    folder.mkdir(parents=True)
    try:
        yield image.Buildah(folder)
    finally:
        shutil.rmtree(folder)
        assert str(folder) not in Path("/proc/mounts").read_text()


@pytest.fixture(scope="module")
def built(buildah, tmp_path_factory):
    """The image of the module as SeedFarmer bundles it."""
    project = sample_project(tmp_path_factory.mktemp("image"))
    with zipfile.ZipFile(project.hand_over("deploy")["bundle"]) as bundle:
        bundle.extractall(project.folder)
    return image.build(buildah, project.folder / "bundle/module")


@pytest.fixture(scope="module")
def container(buildah, built):
    """A container of it."""
    name = buildah("from", "--pull-never", built)
    yield name
    buildah("rm", name)


class ImageStage(Stage):
    """The accounts, and the program in the container."""

    def __init__(self, aws, group, buildah, container):
        super().__init__(aws, group)
        self.buildah, self.container = buildah, container

    def start(self, *arguments, stdin=subprocess.DEVNULL, environment=None):
        """Starts the program as CodeBuild does: with a shell, and with the variables of the build."""
        ours = {name: value for name, value in self.aws.environment().items() if name.startswith("AWS_")}
        variables = [flag for name, value in ours.items() for flag in ("--env", f"{name}={value}")]
        seen = ("--volume", f"{self.aws.folder}:{self.aws.folder}:ro")
        shell = ("sh", "-c", 'promote "$@"', "sh", *arguments)
        command = self.buildah.command("run", *variables, *seen, self.container, "--", *shell)
        pipe, environment = subprocess.PIPE, self.buildah.environment()
        return subprocess.Popen(command, env=environment, stdin=stdin, stdout=pipe, stderr=pipe, text=True)


def test_the_image_promotes(aws, buildah, container):
    churn = seed_churn(aws)
    stage = ImageStage(aws, GROUP, buildah, container)
    document = stage.promote()
    assert document["source"]["model_package_arn"] == churn.package_arn
    assert len(stage.approved()) == 1
    stage.assert_same_bytes(document)


def test_codebuild_finds_a_shell_root_and_ca_certificates_in_it(buildah, container):
    certificates = "grep -c BEGIN /etc/ssl/certs/ca-certificates.crt"
    user, count = buildah("run", container, "--", "sh", "-c", f"id -u && {certificates}").splitlines()
    assert user == "0" and int(count) > 100


def test_it_has_no_entry_point_and_says_what_it_is(buildah, built):
    config = json.loads(buildah("inspect", "--type", "image", built))["OCIv1"]["config"]
    assert "Entrypoint" not in config and config["Cmd"] == ["promote", "--help"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_it_is_well_below_100_megabytes_compressed(buildah, built, say):
    sizes = image.layers(buildah, built)
    base, total = sizes[0] / MEGABYTE, sum(sizes) / MEGABYTE
    say(f"the image is {total:.1f} MB compressed: base {base:.1f}, program ({image.PROFILE}) {total - base:.1f}")
    assert total < 100
