"""Runs of tools: one at a time into an empty target, in turns."""

import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from bench import stub
from bench.machine import quiet, server_cpu
from bench.registry import package_arn
from bench.target import expect
from bench.trips import DELAY, NAME
from bench.workloads import BUCKET, FAR, LATENCY_STUB, RATE_STUB
from standins.principals import REGION, SOURCE_ACCOUNT, TARGET_BUCKET
from standins.proxy import counting

TIMED = Path(__file__).with_name("timed.py")
# The bound of one run; the slowest sensible one takes a minute.
SECONDS = 900
# Of the proxy in the setting FAR. Amazon S3 moves some 90 MB/s on a connection, which no proxy on this machine does
# forty times at once.
FAR_RATE = 4 << 20


@dataclass(frozen=True)
class Run:
    """One run: seconds, CPU seconds (user and system), KiB of memory at its peak, and the CPU seconds of SeaweedFS."""

    wall: float
    cpu: float
    rss: int
    server: float = 0.0


class Bench:
    """The running stand-ins, and what is needed to run a tool against them."""

    def __init__(self, aws, registry, target):
        self.aws, self.registry, self.target, self.count = aws, registry, target, 0
        # Runs that failed, by name of tool.
        self.failed = Counter()

    def runner(self, tool, workload, reports):
        """A function that runs the tool in the setting of the workload. A stub's report goes into `reports`."""
        if workload.setting in (LATENCY_STUB, RATE_STUB):
            return partial(self.run_on_stub, tool, workload, reports)
        if workload.setting == FAR:
            return partial(self.run_far, tool, workload)
        return partial(self.run, tool, workload)

    def run(self, tool, workload, s3=None):
        """One run into an empty target on SeaweedFS, or at a proxy's URL. It is repeated once if it fails: with many
        parts at once, SeaweedFS sometimes answers IncompleteBody on a busy machine."""
        try:
            return self.run_once(tool, workload, s3)
        except RuntimeError as error:
            say(f"repeated, since {tool.name} failed: {error}")
            self.failed[tool.name] += 1
            return self.run_once(tool, workload, s3)

    def run_once(self, tool, workload, s3):
        """One run, which must not fail."""
        self.target.renew()
        before = server_cpu()
        run = self.timed(tool, workload, s3 or self.aws.objects)
        run = replace(run, server=server_cpu() - before)
        expect(workload, tool, self.target.objects())
        return run

    def run_far(self, tool, workload):
        """One run through a proxy that is far away, and slow on each connection."""
        with counting(self.aws.objects, DELAY, FAR_RATE, NAME) as (url, _):
            return self.run(tool, workload, url)

    def run_on_stub(self, tool, workload, reports):
        """One run on a stub of its own."""
        rate = stub.RATE if workload.setting == RATE_STUB else None
        with stub.stub(self.aws.folder, workload, rate) as url:
            run = self.timed(tool, workload, url)
            reports[tool.name] = stub.report(url)
        expect(workload, tool, reports[tool.name].objects)
        return run

    def timed(self, tool, workload, s3):
        """Runs the tool's command."""
        values = self.values(workload, s3)
        command, environment = tool.command(workload.setting, values), self.environment(tool, workload, values)
        return timed(command, environment, self.aws.folder, tool.good_codes)

    def values(self, workload, s3):
        """What is filled into a command; a streaming copy has two principals that cannot see the other side.

        All tools write the keys that promote chooses: deeper ones are more work for SeaweedFS.
        """
        self.count += 1
        version = f"{workload.slug}/{SOURCE_ACCOUNT}-{REGION}-{workload.slug}-v1"
        reader, writer = ("source", "target") if workload.streamed else ("pipeline", "pipeline")
        return tuning(workload) | {
            "s3": s3,
            "source": f"{BUCKET}/{workload.slug}/",
            "target": f"{TARGET_BUCKET}/run-{self.count}/{version}/{BUCKET}/{workload.slug}/",
            "run": f"run-{self.count}/",
            "package": package_arn(workload),
            "reader": reader,
            "writer": writer,
        }

    def environment(self, tool, workload, values):
        """The stand-ins' endpoints and profiles, and the tool's own variables."""
        registry = {"AWS_ENDPOINT_URL_SAGEMAKER": self.registry, "AWS_ENDPOINT_URL_STS": self.registry}
        own = {name: value.format(**values) for name, value in tool.variables.items()}
        variables = self.aws.environment(objects=values["s3"]) | registry | own
        if settings := tool.settings(workload.setting):
            file = self.aws.folder / f"config-{tool.name.replace(' ', '-')}"
            text = Path(variables["AWS_CONFIG_FILE"]).read_text()
            file.write_text(text.replace("region =", f"s3 ={settings}region ="))
            variables["AWS_CONFIG_FILE"] = str(file)
        return variables


def tuning(workload):
    """The values in flags that depend on the workload: large objects have parts that are copied at once, and with more
    of these objects at once rclone and the server take 16 GiB."""
    return {"objects": 4 if workload.large > 1 and workload.streamed else 64}


def rounds(runners, count, patience):
    """The runs of each runner by its name, in changing turns and without the first round, which warms up; and how busy
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
    """Progress, on stderr."""
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
