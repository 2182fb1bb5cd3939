"""CodeBuild builds and publishes the image: the commands of buildspec.yml, with stand-ins for all that they start."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from project import ROOT

REPOSITORY = "111222333444.dkr.ecr.eu-west-1.amazonaws.com/promote"
# Notes how it was started; of the AWS CLI it also answers.
STAND_IN = f"""#!/bin/sh
echo "$(basename "$0") $*" >> "$NOTES"
case "$(basename "$0") $*" in
  *"$FAILS"*) exit 1 ;;
  "aws ecr describe-repositories"*) echo {REPOSITORY} ;;
  "aws ecr get-login-password"*) echo password ;;
esac
"""


class Build:
    """A run of buildspec.yml: how it ended and what it started."""

    def __init__(self, folder, fails="nothing", **variables):
        notes = folder / "notes"
        notes.touch()
        for name in ("aws", "curl", "docker", "make", "sh"):
            (folder / name).write_text(STAND_IN)
            (folder / name).chmod(0o755)
        spec = yaml.safe_load((ROOT / "buildspec.yml").read_text())
        assert all(phase["on-failure"] == "ABORT" for phase in spec["phases"].values())
        commands = [command for phase in spec["phases"].values() for command in phase["commands"]]
        given = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), "NOTES": str(notes), "FAILS": fails}
        given |= spec["env"]["variables"] | {"CODEBUILD_RESOLVED_SOURCE_VERSION": "0a1b2c3"} | variables
        script = "\n".join(f"{{ {command}\n}} || exit" for command in commands) + '\necho "$IMAGE_URI" > exported'
        done = subprocess.run(["bash", "-c", script], cwd=folder, env=given, capture_output=True, text=True)
        self.code, self.output = done.returncode, done.stdout + done.stderr
        self.started = notes.read_text().splitlines()
        self.exported = Path(folder, "exported").read_text().strip() if self.code == 0 else None

    def pushed(self):
        """The images that were pushed."""
        return [line.removeprefix("docker push ") for line in self.started if line.startswith("docker push ")]


def test_the_image_is_tested_built_and_published_under_its_commit(tmp_path):
    build = Build(tmp_path, IMAGE_REPOSITORY="promote")
    assert build.code == 0, build.output
    image = f"{REPOSITORY}:0a1b2c3"
    assert build.pushed() == [image] and build.exported == image
    order = [build.started.index(line) for line in ("make test", f"docker push {image}")]
    assert order == sorted(order)
    assert f"docker build --build-arg REVISION=0a1b2c3 --tag {image} ." in build.started
    assert f"docker login --username AWS --password-stdin {REPOSITORY.partition('/')[0]}" in build.started


def test_the_tag_and_both_bases_can_be_chosen(tmp_path):
    build = Build(tmp_path, IMAGE_REPOSITORY="promote", IMAGE_TAG="1.0", BUILDER="rust:mine", RUNTIME="al2023:mine")
    bases = "--build-arg BUILDER=rust:mine --build-arg RUNTIME=al2023:mine"
    assert f"docker build --build-arg REVISION=0a1b2c3 {bases} --tag {REPOSITORY}:1.0 ." in build.started
    assert build.pushed() == [f"{REPOSITORY}:1.0"]


def test_without_a_repository_it_ends_before_anything_is_started(tmp_path):
    build = Build(tmp_path)
    assert build.code == 1 and "IMAGE_REPOSITORY is not set" in build.output
    assert build.started == []


@pytest.mark.parametrize("step", ["aws ecr describe-repositories", "make test", "docker build", "docker run"])
def test_nothing_is_published_when_a_step_before_fails(tmp_path, step):
    build = Build(tmp_path, fails=step, IMAGE_REPOSITORY="promote")
    assert build.code != 0
    assert build.pushed() == []
