"""Runs of tools: one at a time into an empty target, all of them taking turns."""

import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.machine import quiet, server_cpu
from bench.registry import package_arn
from bench.workloads import BUCKET
from standins.principals import REGION, SOURCE_ACCOUNT, TARGET_BUCKET

TIMED = Path(__file__).with_name("timed.py")
# Ranges of a large object that are streamed at once, where that can be told: more are no faster on one machine.
STREAMS = 8
# Bound of one run; the slowest that is sensible takes a minute.
SECONDS = 900


@dataclass(frozen=True)
class Run:
    """What one run took: seconds, CPU seconds (user and system), KiB of memory at its peak, and the server's CPU
    seconds, which say most about the wall time of an S3 with two cores."""

    wall: float
    cpu: float
    rss: int
    server: float = 0.0


class Bench:
    """The running stand-ins, and what is needed to run a tool against them."""

    def __init__(self, aws, registry, target):
        self.aws, self.registry, self.target, self.count = aws, registry, target, 0

    def run(self, tool, workload, s3=None, streams=STREAMS):
        """One run of a tool into an empty target."""
        self.target.renew()
        values = self.values(workload, s3 or self.aws.objects) | {"streams": streams}
        environment = self.environment(tool, values)
        before = server_cpu()
        run = timed(tool.command(workload.mode, values), environment, self.aws.folder, tool.good_codes)
        run = replace(run, server=server_cpu() - before)
        self.target.expect(workload, tool)
        return run

    def values(self, workload, s3):
        """What is filled in; a streaming copy has two principals that cannot see the other side.

        All tools write the keys that promote chooses: deeper ones are more work for SeaweedFS.
        """
        self.count += 1
        version = f"{workload.slug}/{SOURCE_ACCOUNT}-{REGION}-{workload.slug}-v1"
        reader, writer = ("pipeline", "pipeline") if workload.mode == "server-side" else ("source", "target")
        return {
            "s3": s3,
            "source": f"{BUCKET}/{workload.slug}/",
            "target": f"{TARGET_BUCKET}/run-{self.count}/{version}/{BUCKET}/{workload.slug}/",
            "run": f"run-{self.count}/",
            "package": package_arn(workload),
            "reader": reader,
            "writer": writer,
            # Large ones have parts that go side by side: with more of them at once, rclone and the server take 16 GiB.
            "objects": 4 if workload.large > 1 and workload.mode == "stream" else 64,
        }

    def environment(self, tool, values):
        """The stand-ins' endpoints and profiles, and what the tool is tuned with."""
        registry = {"AWS_ENDPOINT_URL_SAGEMAKER": self.registry, "AWS_ENDPOINT_URL_STS": self.registry}
        variables = self.aws.environment(objects=values["s3"]) | registry | tool.environment(values)
        if tool.settings:
            own = self.aws.folder / f"config-{tool.name.replace(' ', '-')}"
            text = Path(variables["AWS_CONFIG_FILE"]).read_text()
            own.write_text(text.replace("region =", f"s3 ={tool.settings}region ="))
            variables["AWS_CONFIG_FILE"] = str(own)
        return variables


def rounds(runners, count, patience):
    """What each runner measured, by its name, in changing turns and without the first round, which warms up; and how busy
    others kept the cores before each round."""
    taken, shares = [], []
    for number in range(count + 1):
        shares.append(quiet(patience))
        taken.append({name: asdict(runners[name]()) for name in turns(list(runners), number)})
        say(", ".join(f"{name} {run['wall']:.2f} s" for name, run in taken[-1].items()))
    return {name: [runs[name] for runs in taken[1:]] for name in runners}, shares


def turns(names, number):
    """The order of a round, a Williams design: after as many rounds as there are names (twice as many, if that is odd)
    each has had each place, and has come after each other one, as often. A place costs up to a tenth of the time:
    SeaweedFS still clears up what the tool before has left."""
    count = len(names)
    zigzag = [(place + 1) // 2 * (1 if place % 2 else -1) for place in range(count)]
    order = [names[(number + step) % count] for step in zigzag]
    return order[::-1] if count % 2 and number % 2 else order


def say(text):
    """Progress, apart from the table."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def timed(command, environment, folder, good_codes=(0,)):
    """Runs a command to its end."""
    report, log = folder / "timed", folder / "output"
    small = [sys.executable, "-I", "-S", str(TIMED), str(report), *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            small, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            process.wait(SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    wall, cpu, rss, code = report.read_text().split()
    if int(code) not in good_codes:
        raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{log.read_text(errors='replace')[-2000:]}")
    return Run(float(wall), float(cpu), int(rss))
