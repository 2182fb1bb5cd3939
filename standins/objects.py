"""S3: SeaweedFS, with one identity for each principal and the bucket rights that its account should have."""

import json
import sys
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from standins.principals import REGION, SOURCE_BUCKETS, TARGET_BUCKET
from standins.server import free_ports, serving

LISTENERS = ("master", "volume", "filer", "s3")
ROOT = ("root", "root-of-the-stand-in")
# Compiled into SeaweedFS; POSIX has this folder on every system.
SOCKETS = Path("/tmp")


@contextmanager
def objects(folder, principals):
    """Runs SeaweedFS while the block runs, with the buckets in it, and yields its URL."""
    ports = dict(zip([*LISTENERS, *(f"{name}.grpc" for name in LISTENERS)], free_ports(8), strict=True))
    url = f"http://127.0.0.1:{ports['s3']}"
    identities = folder / "identities.json"
    identities.write_text(json.dumps({"identities": [root(), *map(identity, principals)]}))
    # One volume for each bucket, not seven: they are made when the first object arrives.
    environment = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
    try:
        with serving(command(folder, identities, ports), folder / "seaweedfs.log", Buckets(url).exist, environment):
            yield url
    finally:
        for socket in sockets(ports):
            socket.unlink(missing_ok=True)


def command(folder, identities, ports):
    """All of SeaweedFS in one process, on ports of 127.0.0.1 and with its data in `folder`."""
    data = folder / "objects"
    data.mkdir()
    flags = {"-master.port.grpc": ports["master.grpc"], "-volume.port.grpc": ports["volume.grpc"]}
    flags |= {"-filer.port.grpc": ports["filer.grpc"], "-s3.port.grpc": ports["s3.grpc"]}
    flags |= {f"-{name}.port": ports[name] for name in LISTENERS}
    flags |= {"-dir": data, "-ip": "127.0.0.1", "-ip.bind": "127.0.0.1", "-s3.config": identities}
    # "none": one master, which need not wait to be elected.
    flags |= {"-master.peers": "none", "-volume.max": 200}
    # Listeners that would take a fixed port.
    flags |= {"-s3.port.iceberg": 0, "-s3.port.lance": 0}
    weed = Path(sys.executable).parent / "weed"
    return [str(weed), "-logtostderr", "server", "-s3", *(f"{flag}={value}" for flag, value in flags.items())]


def sockets(ports):
    """The Unix sockets that SeaweedFS makes, wherever its data is and whatever TMPDIR says."""
    for name, port in ports.items():
        yield SOCKETS / f"seaweedfs-{name.replace('.', '-')}-{port}.sock"


def identity(principal):
    """A principal as SeaweedFS's configuration has it."""
    rights = ["Admin"] if principal.identity.administers else []
    rights += [f"{right}:{bucket}" for bucket in principal.identity.reads for right in ("Read", "List")]
    rights += [f"{right}:{bucket}" for bucket in principal.identity.writes for right in ("Write", "Tagging")]
    return configured(principal.identity.name, principal.access_key, principal.secret_key, rights)


def root():
    """Who makes the buckets; no profile has its key."""
    return configured("root", *ROOT, ["Admin"])


def configured(name, access_key, secret_key, actions):
    """One entry of SeaweedFS's configuration."""
    return {
        "name": name,
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": actions,
    }


class Buckets:
    """The buckets of both accounts; that they can be made and written is the proof that SeaweedFS is ready."""

    def __init__(self, url):
        session = boto3.Session(*ROOT, region_name=REGION)
        quick = Config(connect_timeout=1, read_timeout=10, retries={"max_attempts": 0})
        self.s3 = session.client("s3", endpoint_url=url, config=quick)
        self.missing = [*SOURCE_BUCKETS, TARGET_BUCKET]

    def exist(self):
        """Makes those that are missing; false while SeaweedFS is not ready for it."""
        try:
            while self.missing:
                bucket = self.missing[-1]
                self.s3.create_bucket(Bucket=bucket)
                self.s3.put_object(Bucket=bucket, Key="ready", Body=b"")
                self.s3.delete_object(Bucket=bucket, Key="ready")
                self.missing.pop()
        except (BotoCoreError, ClientError):
            return False
        return True
