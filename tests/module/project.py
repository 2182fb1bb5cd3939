"""A SeedFarmer project that holds this module, and the CodeBuild that runs the module's commands."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import yaml

from standins.principals import REGION, TARGET_ACCOUNT

ROOT = Path(__file__).parent.parent.parent
LOCAL = ROOT / ".local"
SEEDFARMER = LOCAL / "seedfarmer/bin"
CDK = LOCAL / "cdk/node_modules/.bin/cdk"
PROMOTE = Path(os.environ.get("PROMOTE_BIN", "target/debug/promote")).resolve()
SETTINGS = {"project": "demo", "manifestValidationFailOnUnknownFields": True}


class Project:
    """A folder with seedfarmer.yaml, the manifest of one module, and the module as a fresh clone would have it."""

    def __init__(self, folder, manifest):
        self.folder, self.manifest = folder, manifest
        self.stack = f"demo-mlops-models-{manifest['name']}"
        write_yaml(folder / "seedfarmer.yaml", SETTINGS)
        clone(folder / manifest["path"])

    def set(self, name, value):
        """Gives a parameter of the manifest another value."""
        self.leave_out(name)
        self.manifest["parameters"].append({"name": name, "value": value})

    def leave_out(self, name):
        """Removes a parameter from the manifest."""
        self.manifest["parameters"] = [one for one in self.manifest["parameters"] if one["name"] != name]

    def hand_over(self, verb):
        """What SeedFarmer gives CodeBuild to deploy or destroy the module."""
        write_yaml(self.folder / "manifest.yaml", self.manifest)
        command = [SEEDFARMER / "python", ROOT / "tests/module/as_seedfarmer.py", verb]
        done = subprocess.run(
            [*command, "manifest.yaml", TARGET_ACCOUNT, REGION], cwd=self.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def build(self, verb, environment):
        """Has CodeBuild do it, on a machine of its own, and returns that machine."""
        machine = Path(tempfile.mkdtemp(prefix=f"{verb}-", dir=self.folder))
        return CodeBuild(machine, self.hand_over(verb), environment)


class CodeBuild:
    """A machine that runs a build as CodeBuild does: bash, one phase after the other, until a command fails."""

    def __init__(self, folder, given, environment):
        self.folder, self.module = folder, folder / "bundle/module"
        self.notes = folder / "docker.json"
        with zipfile.ZipFile(given["bundle"]) as bundle:
            bundle.extractall(folder)
        self.notes.touch()
        # SeedFarmer's own commands install it, and report to it: they are not the module's.
        commands = [command for phase, own in given["own"].items() for command in module_commands(given, phase, own)]
        done = subprocess.run(
            ["bash", "-c", "\n".join(f"{{ {command}\n}} || exit" for command in commands)],
            cwd=folder,
            env=environment | given["variables"] | self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.code, self.output = done.returncode, done.stdout

    def variables(self):
        """What CodeBuild and SeedFarmer's project in CodeBuild set, and where the stand-ins are."""
        path = [Path(__file__).parent / "bin", SEEDFARMER, Path(sys.executable).parent, *os.environ["PATH"].split(":")]
        return {
            "AWS_ACCOUNT_ID": TARGET_ACCOUNT,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "CODEBUILD_SRC_DIR": str(self.folder),
            "HOME": str(self.folder),
            "PATH": ":".join(map(str, path)),
            "PROMOTE_BIN": str(PROMOTE),
            "DOCKER_NOTES": str(self.notes),
            # From the packages that `make` has fetched.
            "npm_config_cache": str(LOCAL / "npm"),
            "npm_config_offline": "true",
        }

    @property
    def docker_calls(self):
        """Each call of Docker, as the list of its arguments."""
        return [json.loads(line) for line in self.notes.read_text().splitlines()]

    @property
    def metadata(self):
        """What SeedFarmer knows about the module afterwards, and other modules can refer to."""
        return json.loads((self.module / "SEEDFARMER_MODULE_METADATA").read_text())


def module_commands(given, phase, own):
    """The commands of the deployspec's phase with the two before them that go to the module's folder."""
    commands = given["phases"][phase]
    first = commands.index("cd ${CODEBUILD_SRC_DIR}/bundle")
    module = commands[first : first + 2 + len(own)]
    assert module[1:] == ["cd module/", *own], module
    return module


def clone(folder):
    """What git has of this module, as it is in the working folder."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def write_yaml(path, content):
    """Writes a YAML file."""
    path.write_text(yaml.safe_dump(content, sort_keys=False))
