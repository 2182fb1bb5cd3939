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
from standins.principals import REGION, SOURCE_ACCOUNT
from tests.e2e.stage import Stage

MEGABYTE = 1_000_000
GROUP_ARN = f"arn:aws:sagemaker:{REGION}:{SOURCE_ACCOUNT}:model-package-group/{GROUP}"
# CodeBuild on Lambda runs a build without root, and only /tmp can be written (CodeBuild User Guide, "Limitations of AWS
# Lambda compute"). `$1` is the root of the image, `$2` the folder for its /tmp; the rest is the command.
AS_ON_LAMBDA = """
root=$1 tmp=$2 && shift 2
mount --bind "$root" "$root" && mount -o remount,bind,ro "$root"
mount --bind "$tmp" "$root/tmp" && mount --rbind /proc "$root/proc"
exec chroot --userspec=993:990 "$root" env -i -C /tmp PATH=/usr/local/bin:/usr/bin:/bin "$@"
"""
UNWRITABLE = ("denied", "read-only file", "home", "/root", "directory", "cache")


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


@pytest.fixture(scope="module")
def churn(aws):
    """Two accounts with something to promote."""
    return seed_churn(aws)


class ImageStage(Stage):
    """The accounts, and the program in the container."""

    def __init__(self, aws, group, buildah, container, target_group=None):
        super().__init__(aws, group, target_group)
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


def test_the_image_promotes(aws, churn, buildah, container):
    stage = ImageStage(aws, GROUP, buildah, container)
    document = stage.promote()
    assert document["source"]["model_package_arn"] == churn.package_arn
    assert len(stage.approved()) == 1
    stage.assert_same_bytes(document)


class LambdaStage(ImageStage):
    """The accounts, and the program as CodeBuild runs it on Lambda: no root, no HOME, and only /tmp can be written."""

    def __init__(self, aws, group, buildah, container, folder):
        super().__init__(aws, group, buildah, container, target_group="on-lambda")
        self.root, self.tmp = buildah("mount", container), folder
        self.tmp.chmod(0o1777)

    def start(self, *arguments, stdin=subprocess.DEVNULL, environment=None):
        """Starts the program with the variables of the accounts, or with others and no more."""
        variables = self.variables() if environment is None else environment
        given = [f"{name}={value}" for name, value in variables.items()]
        confined = ("unshare", "--mount", "sh", "-euc", AS_ON_LAMBDA, "sh", self.root, self.tmp)
        command = [*confined, *given, "promote", *arguments]
        return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def variables(self):
        """AWS's variables of the build. The files that they name are in /tmp."""
        ours = {name: value for name, value in self.aws.environment().items() if name.startswith("AWS_")}
        for name, value in ours.items():
            if Path(value).is_relative_to(self.aws.folder):
                copied = self.tmp / Path(value).name
                shutil.copy(value, copied)
                copied.chmod(0o644)
                ours[name] = f"/tmp/{copied.name}"
        return ours


@pytest.fixture
def on_lambda(aws, buildah, container, tmp_path):
    """The program in the image as on Lambda."""
    return LambdaStage(aws, GROUP, buildah, container, tmp_path)


def test_the_image_promotes_without_root_and_home_where_only_tmp_can_be_written(churn, on_lambda):
    document = on_lambda.promote("--record", "promotion.json")
    assert document["source"]["model_package_arn"] == churn.package_arn
    assert len(on_lambda.approved()) == 1
    assert json.loads((on_lambda.tmp / "promotion.json").read_text()) == document
    assert (on_lambda.tmp / "promotion.json").stat().st_uid != 0


def test_nothing_but_tmp_can_be_written_in_these_tests(on_lambda):
    elsewhere = on_lambda.run("find-latest", "--group", GROUP_ARN, "--record", "/record.json", environment={})
    assert elsewhere.code != 0 and "Read-only file system" in elsewhere.stderr, elsewhere.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["full", "--help"], ["stack", "template"]])
def test_what_needs_no_account_works_without_root_and_home(on_lambda, arguments):
    done = on_lambda.run(*arguments, environment={})
    assert (done.code, done.stderr) == (0, "") and done.stdout


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "region"),
        ({"AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}, "credentials"),
        ({"AWS_REGION": REGION, "AWS_PROFILE": "build"}, "build"),
    ],
)
def test_a_run_that_fails_without_root_and_home_names_its_cause_and_no_folder(on_lambda, variables, says):
    failed = on_lambda.run("full", "--group", GROUP_ARN, "--target-bucket", "serving", environment=variables)
    assert failed.code in (1, 2) and failed.stderr.startswith("error: "), failed.stderr
    assert says in failed.stderr
    assert not [text for text in UNWRITABLE if text in failed.stderr.lower()], failed.stderr


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
