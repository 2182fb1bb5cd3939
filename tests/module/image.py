"""Builds the image without a Docker engine: buildah does what the Dockerfile says, in a folder that goes afterwards.

The runtime's base is a minimal system of this machine's release. The builder's base is this machine itself, its /usr
and its Rust, read-only: together with the target folder, so that no dependency is compiled twice.
"""

import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

from project import LOCAL, ROOT

MISSING = "apt-get install --no-install-recommends buildah mmdebstrap"
# `release` takes the minutes that compiling the AWS SDK takes, unless it was compiled before.
PROFILE = os.environ.get("IMAGE_PROFILE", "dev")
# As `make build` does: with the features of the tests, the dependencies are there already.
FLAGS = {"dev": "--examples"}
# What Debian's own slim image leaves out as well.
LEFT_OUT = ("doc", "man", "locale", "info")


def why_not():
    """Why the image cannot be built on this machine, if so."""
    if os.geteuid() != 0:
        return "the image is built as root"
    if not (shutil.which("buildah") and shutil.which("mmdebstrap")):
        return f"the image needs two Debian packages: {MISSING}"
    if not Path("/bin").is_symlink():
        return "the image needs a system whose programs are all below /usr, as Debian 12's are"
    return None


class Buildah:
    """Buildah with all that it stores in one folder."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "tmp").mkdir()

    def __call__(self, *arguments):
        """Runs it, and returns what it says on stdout."""
        command, environment = self.command(*arguments), self.environment()
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"buildah {arguments[0]}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout.strip()

    def command(self, *arguments):
        """The command that runs it, with mounts of its own: none is left when it ends."""
        alone = 'mount -t tmpfs tmpfs /var/lib && exec "$@"'
        storage = ("--root", self.folder / "storage", "--runroot", self.folder / "run", "--storage-driver", "vfs")
        return ["unshare", "--mount", "sh", "-c", alone, "sh", "buildah", *storage, *arguments]

    def environment(self):
        """Its variables: chroot is the isolation that needs no rights beyond root's."""
        return os.environ | {"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(self.folder / "tmp")}

    def image(self, name, content, *settings):
        """An image of one layer."""
        container = self("from", "scratch")
        self("add", "--quiet", container, content, "/")
        if settings:
            self("config", *settings, container)
        self("commit", "--quiet", "--rm", container, name)
        return f"localhost/{name}"


def build(buildah, folder):
    """Builds the Dockerfile of a folder and returns the image's name."""
    runtime = buildah.image("runtime", minimal_system())
    builder = buildah.image("builder", this_machine(buildah.folder / "machine"), *builder_settings())
    bases = ("--build-arg", f"BUILDER={builder}", "--build-arg", f"RUNTIME={runtime}")
    profile = ("--build-arg", f"PROFILE={PROFILE}", "--build-arg", f"CARGO_FLAGS={FLAGS.get(PROFILE, '')}")
    mounted = [flag for volume in volumes() for flag in ("--volume", volume)]
    buildah("bud", *bases, *profile, *mounted, "--pull-never", "--tag", "promote", folder)
    return "localhost/promote"


def minimal_system():
    """The archive of a minimal system with CA certificates, bootstrapped once."""
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    archive = LOCAL / f"image/{suite}.tar"
    if not archive.exists():
        archive.parent.mkdir(exist_ok=True)
        without = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
        new = archive.with_suffix(".new.tar")
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates", *without, suite, new]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        new.rename(archive)
    return archive


def this_machine(folder):
    """The few files that this machine's /usr needs around it."""
    for name in ("etc/ssl", "host/usr", "root", "tmp", "var/tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "usr").symlink_to("host/usr")
    for name in ("bin", "lib", "lib64", "sbin"):
        if Path("/", name).is_symlink():
            (folder / name).symlink_to(os.readlink(Path("/", name)))
    shutil.copytree("/etc/alternatives", folder / "etc/alternatives", symlinks=True)
    shutil.copytree("/etc/ssl/certs", folder / "etc/ssl/certs", symlinks=False)
    shutil.copy2("/etc/ld.so.cache", folder / "etc")
    return folder


def rust():
    """Where this machine's compiler and its registry of packages are."""
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True).stdout.strip()
    return Path(sysroot), Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))


def builder_settings():
    """The variables with which Cargo finds what is mounted."""
    sysroot, cargo_home = rust()
    variables = {"PATH": f"{sysroot}/bin:/usr/local/bin:/usr/bin:/bin", "CARGO_HOME": cargo_home}
    variables |= {"CARGO_BUILD_BUILD_DIR": "/host/target", "CARGO_NET_OFFLINE": "true"}
    return [flag for name, value in variables.items() for flag in ("--env", f"{name}={value}")]


def volumes():
    """What the build sees of this machine. Cargo locks its home and its target folder: both are written."""
    sysroot, cargo_home = rust()
    return ["/usr:/host/usr:ro", f"{sysroot}:{sysroot}:ro", f"{cargo_home}:{cargo_home}", f"{ROOT}/target:/host/target"]


def layers(buildah, image):
    """The compressed sizes of an image's layers in bytes, the base's first."""
    archive = buildah.folder / "archive"
    buildah("push", "--quiet", image, f"oci:{archive}:promote")
    index = json.loads((archive / "index.json").read_text())
    manifest = json.loads(blob(archive, index["manifests"][0]["digest"]).read_text())
    return [layer["size"] for layer in manifest["layers"]]


def blob(archive, digest):
    """The file of a digest."""
    return archive / "blobs" / digest.replace(":", "/")
