"""`make bench-images`: promote copies a container image, and skopeo copies the same image between two registries.

skopeo and docker-registry have to be installed. Both read the layers from the same docker-registry, as ECR's URLs lead
to another server. promote writes to a server in Python that decodes each part and hashes each layer, skopeo to a second
docker-registry. The time of promote includes the registration of a version. Each row is the fastest of the runs. At
last skopeo reads what promote has written, to the last byte, and has to find the digest of the source.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from standins import cloud
from standins.ecr import Synthetic
from standins.principals import REGION, SOURCE_ACCOUNT, TARGET_ACCOUNT, TARGET_BUCKET
from standins.server import free_ports, serving

PROMOTE = Path(os.environ.get("PROMOTE_BIN", "target/release/promote")).resolve()
MIB = 1 << 20
CONFIG = """version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
log: {{level: error}}
"""


def main():
    """Measures both, and compares what they have copied."""
    parser = argparse.ArgumentParser(prog="make bench-images")
    parser.add_argument("--layers", type=int, default=8, help="the number of layers")
    parser.add_argument("--mib", type=int, default=128, help="the size of a layer in MiB")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--synthetic-gib", type=int, help="copy one layer of this size that nobody stores, and no more")
    arguments = parser.parse_args()
    if arguments.synthetic_gib:
        return synthetic(arguments.synthetic_gib)
    programs = {name: shutil.which(name) for name in ("skopeo", "docker-registry")}
    if None in programs.values() or not PROMOTE.exists():
        sys.exit(f"bench-images: needs skopeo, docker-registry and {PROMOTE}")
    layers = [noise(number, arguments.mib) for number in range(arguments.layers)]
    with cloud() as aws, registry(aws.folder, programs) as source_port:
        digest = aws.images.push(SOURCE_ACCOUNT, "bench", "1", *layers)
        source = aws.images.repositories[SOURCE_ACCOUNT, "bench"]
        size = sum(map(len, source.layers.values())) / MIB
        layout = aws.folder / "layout"
        source.write_layout(layout, digest)
        skopeo = Skopeo(programs["skopeo"])
        skopeo.push(layout, source_port)
        aws.images.layers_at = f"http://127.0.0.1:{source_port}/v2/bench/blobs"
        rows = {"promote": [], "skopeo": []}
        for number in range(arguments.runs):
            rows["promote"].append(by_promote(aws, number, digest))
            with registry(aws.folder, programs) as target_port:
                rows["skopeo"].append(skopeo.copied(aws.folder, source_port, target_port, digest))
        written = aws.folder / "written"
        aws.images.repositories[TARGET_ACCOUNT, "bench"].write_layout(written, digest)
        skopeo.verify(written, digest)
    print(f"{arguments.layers} layers, {size:.0f} MiB; skopeo reads {digest} from both copies\n")
    print("tool     MiB/s  seconds  CPU seconds  MiB of memory")
    for name, runs in rows.items():
        wall, cpu, memory = min(runs)
        print(f"{name:7} {size / wall:6.0f} {wall:8.2f} {cpu:12.2f} {memory / 1024:14.0f}")


def synthetic(gib):
    """Copies a layer that is generated, and of which nothing is kept. Ends with an error from 128 MiB of memory on."""
    layer = Synthetic(noise(0, 8), gib << 30)
    with cloud() as aws:
        aws.images.keeps_layers = False
        digest = aws.images.push(SOURCE_ACCOUNT, "bench", "1", layer)
        wall, _, memory = by_promote(aws, 0, digest)
    speed, memory = gib * 1024 / wall, memory / 1024
    print(f"one layer of {gib} GiB: {wall:.0f} seconds, {speed:.0f} MiB/s, {memory:.0f} MiB of memory")
    if memory >= 128:
        sys.exit("bench-images: promote takes 128 MiB of memory or more")


def noise(seed, mib):
    """So many MiB that do not compress."""
    dice = random.Random(seed)
    return b"".join(dice.randbytes(MIB) for _ in range(mib))


def by_promote(aws, number, digest):
    """One copy by promote into an empty repository."""
    sagemaker, s3 = aws.client("sagemaker", "source"), aws.client("s3", "source")
    group, key = f"Bench-{number}", f"bench-{number}/model.tar.gz"
    s3.put_object(Bucket="source-models", Key=key, Body=b"weights")
    arn = sagemaker.create_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    image = f"{SOURCE_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/bench@{digest}"
    container = {"Image": image, "ModelDataUrl": f"s3://source-models/{key}"}
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={"Containers": [container], **types},
    )
    aws.images.repositories.pop((TARGET_ACCOUNT, "bench"), None)
    sides = ("--source-profile", "source", "--target-profile", "target", "--target-bucket", TARGET_BUCKET)
    command = [PROMOTE, "full", "--group", arn, *sides, "--images", "copy"]
    measured = timed(aws.folder, command, aws.environment())
    same(aws.images.repositories[TARGET_ACCOUNT, "bench"].manifests[digest][0].encode(), digest)
    return measured


@contextmanager
def registry(folder, programs):
    """The port of an empty docker-registry that is served while the block runs."""
    (port,) = free_ports(1)
    at = folder / f"registry-{port}"
    at.mkdir()
    config = at / "config.yml"
    config.write_text(CONFIG.format(folder=at, port=port))
    with serving([programs["docker-registry"], "serve", config], at / "log", lambda: answers(port)):
        yield port
    shutil.rmtree(at, ignore_errors=True)


class Skopeo:
    """skopeo, which copies between registries without TLS."""

    def __init__(self, program):
        self.program = program
        self.copy = [program, "copy", "--all", "--preserve-digests", "--insecure-policy", "--quiet"]

    def push(self, layout, port):
        """Pushes the image of a folder."""
        subprocess.run([*self.copy, "--dest-tls-verify=false", f"oci:{layout}:1", image_at(port)], check=True)

    def copied(self, folder, first, second, digest):
        """One copy from the registry at a port into the one at another."""
        plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
        measured = timed(folder, [*self.copy, *plain, image_at(first), image_at(second)], os.environ)
        inspect = [self.program, "inspect", "--raw", "--tls-verify=false", image_at(second)]
        same(subprocess.run(inspect, check=True, capture_output=True).stdout, digest)
        return measured

    def verify(self, layout, digest):
        """Copies the image of a folder once more, which compares each manifest and each layer with its digest."""
        copy = layout.with_name("verified")
        subprocess.run([*self.copy, f"oci:{layout}:1", f"oci:{copy}:1"], check=True)
        (image,) = json.loads((copy / "index.json").read_text())["manifests"]
        if image["digest"] != digest:
            sys.exit(f"bench-images: skopeo reads {image['digest']} from the copy of {digest}")


def image_at(port):
    """The image at the registry of a port, as skopeo names it."""
    return f"docker://127.0.0.1:{port}/bench:1"


def answers(port):
    """Whether a registry is ready."""
    try:
        return urlopen(f"http://127.0.0.1:{port}/v2/").status == 200
    except URLError:
        return False


def timed(folder, command, environment):
    """Seconds, seconds of CPU, and KiB of memory of a command that succeeds."""
    report = folder / "report"
    runner = [sys.executable, "-m", "bench.timed", report, *command]
    subprocess.run(runner, env=environment, check=True, capture_output=True)
    wall, cpu, memory, code = map(float, report.read_text().split())
    if code:
        sys.exit(f"bench-images: {command[0]} exits {code:.0f}")
    return wall, cpu, memory


def same(content, digest):
    """Ends the benchmark where the copy is another image."""
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        sys.exit(f"bench-images: the copy of {digest} is another image")


if __name__ == "__main__":
    main()
