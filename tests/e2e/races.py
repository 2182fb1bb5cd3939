"""Races and kills of the real program, each followed by a clean run that has to leave one whole promotion.

    make races RACES=200 KILLS=200

Each has a world of its own: a source group, and the target group of that name. Several run side by side, because runs wait
for each other and for a registry that shows everything 2 s late.
"""

import argparse
import itertools
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from stage import ONE_PRINCIPAL, TWO_PRINCIPALS, Stage
from standins import cloud
from standins.principals import TARGET_BUCKET
from standins.proxy import counting

# How late the registry shows what is new, in seconds.
LAG = 2.0
# Runs of one race.
RIVALS = 3
# In seconds: longer than a clean run waits for a run that was killed.
PATIENCE = 300
MIB = 1 << 20
LOGS = Path(".local/races")

stages = itertools.count(1)


@dataclass
class Trial:
    """One race or kill: what the runs said, and what is wrong afterwards."""

    name: str
    runs: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    # Whether the run was still going when it was killed.
    killed: bool = False

    def note(self, what, code, stdout, stderr):
        """Keeps how a run ended."""
        self.runs.append((what, code, stdout, stderr))

    def text(self):
        """All of it."""
        said = (f"== {what}: exit code {code}\n{stderr}{stdout}" for what, code, stdout, stderr in self.runs)
        return "\n".join([self.name, *(f"WRONG: {wrong}" for wrong in self.wrong), *said])


class World:
    """A source group with one approved version, and the principals that promote it."""

    def __init__(self, aws, dice):
        self.stage = Stage(aws, f"Race-{next(stages)}")
        self.principals = dice.choice([ONE_PRINCIPAL, TWO_PRINCIPALS])
        self.stage.source_registry.create_model_package_group(ModelPackageGroupName=self.stage.group)
        bodies = {f"model/{name}": dice.randbytes(dice.randrange(1, 4096)) for name in ("a", "b", "c/d", "c/e")}
        # In a quarter of the worlds one object is streamed in parts, if it is streamed.
        bodies["model.tar.gz"] = dice.randbytes(dice.choice([1, 1, 1, 9 * MIB]))
        self.bodies = bodies
        self.stage.put_all(bodies)
        prefix = {"S3Uri": self.stage.uri("model/"), "S3DataType": "S3Prefix", "CompressionType": "None"}
        model = self.stage.uri("model.tar.gz")
        containers = ({"ModelDataUrl": model}, {"ModelDataSource": {"S3DataSource": prefix}})
        package = self.stage.register(*containers, status="PendingManualApproval")
        time.sleep(LAG)
        self.stage.decide(package, "Approved", "Good enough")
        time.sleep(LAG)

    def start(self, environment=None):
        """Starts a run."""
        return self.stage.start(*self.stage.full_command(principals=self.principals), environment=environment)

    def clean_run(self, trial):
        """Runs it undisturbed, and checks what there is then."""
        ended(trial, "the clean run", self.start(), expected=0)
        time.sleep(LAG)
        versions = self.stage.versions()
        approvals = [version["ModelApprovalStatus"] for version in versions]
        if approvals != ["Approved"]:
            return trial.wrong.append(f"the versions of the target group are {approvals}")
        package = versions[0]["ModelPackageArn"]
        # The registry never reuses a version number. After a version that was deleted again, this one would not be 1.
        if versions[0]["ModelPackageVersion"] != 1:
            trial.wrong.append(f"{package} is not the first version that was registered")
        verify = ("verify", "--model-package", package, *self.principals[2:], "--output", "json")
        ended(trial, "verify", self.stage.start(*verify), expected=0)
        return self.compare(trial)

    def compare(self, trial):
        """Every object of the source has one in the target with its bytes, and there is nothing else but documents."""
        copies = self.stage.copies()
        for name, body in self.bodies.items():
            end = f"/source-models/{self.stage.group}/{name}"
            keys = [key for key in copies if key.endswith(end)]
            if len(keys) != 1:
                trial.wrong.append(f"{name} is at {keys}")
            elif self.stage.read(f"s3://{TARGET_BUCKET}/{keys[0]}")["Body"].read() != body:
                trial.wrong.append(f"{keys[0]} has other bytes")
            for key in keys:
                del copies[key]
        trial.wrong += [f"{key} is left" for key in copies if not is_document(key) or copies[key].startswith("unfinished")]


def is_document(key):
    """Whether a promotion leaves this key on purpose: records, and claims."""
    folder, _, name = key.rpartition("/")
    return name.endswith(".json") and (name.startswith("promotion") or folder.endswith("/_claims"))


def ended(trial, what, process, expected=None):
    """Waits for a run; a code other than the expected one is wrong."""
    try:
        stdout, stderr = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        trial.wrong.append(f"{what} took more than {PATIENCE} s")
    trial.note(what, process.returncode, stdout, stderr)
    if expected is not None and process.returncode != expected:
        trial.wrong.append(f"{what} ended with exit code {process.returncode}")


def race(aws, number):
    """Several runs at once: each has to end well."""
    trial, dice = Trial(f"race {number}"), random.Random(f"race {number}")
    world = World(aws, dice)
    rivals = []
    for _ in range(RIVALS):
        rivals.append(world.start())
        time.sleep(dice.choice([0, 0, dice.random()]))
    for index, rival in enumerate(rivals, 1):
        ended(trial, f"rival {index}", rival, expected=0)
    world.clean_run(trial)
    return trial


def kill(aws, number):
    """A run that is killed after a random call, or at a random time."""
    trial, dice = Trial(f"kill {number}"), random.Random(f"kill {number}")
    world = World(aws, dice)
    with ExitStack() as stack:
        environment, calls = aws.environment(), []
        for service, url in (("S3", aws.objects), ("SAGEMAKER", aws.registry)):
            proxy, seen = stack.enter_context(counting(url))
            environment[f"AWS_ENDPOINT_URL_{service}"] = proxy
            calls.append(seen)
        process = world.start(environment)
        # A clean run has 30 to 50 calls, and takes longer than its longest wait, which is the registry's lag.
        call, moment = dice.choice([(dice.randrange(1, 50), PATIENCE), (sys.maxsize, dice.uniform(0, 3 * LAG))])
        until = time.monotonic() + moment
        while sum(map(len, calls)) < call and time.monotonic() < until and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        trial.name += f", after {sum(map(len, calls))} calls"
        ended(trial, "the killed run", process)
        trial.killed = process.returncode == -signal.SIGKILL
    world.clean_run(trial)
    return trial


def trials(aws, kind, numbers, at_once):
    """The trials of these numbers, so many side by side."""
    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(lambda number: attempt(aws, kind, number), numbers))


def attempt(aws, kind, number):
    """One trial; an exception is a failure of it."""
    try:
        return kind(aws, number)
    except Exception as error:  # noqa: BLE001
        return Trial(f"{kind.__name__} {number}", wrong=[repr(error)])


def main():
    """Half of the trials at a registry that honours client tokens, half at one that does not know them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--races", type=int, default=200)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=16, help="trials side by side")
    options = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    failed = 0
    for tokens in (True, False):
        with cloud(lag=LAG, tokens=tokens) as aws:
            for kind, count in ((race, options.races), (kill, options.kills)):
                began = time.monotonic()
                half = (count + 1) // 2
                numbers = range(1, half + 1) if tokens else range(half + 1, count + 1)
                done = trials(aws, kind, numbers, options.at_once)
                bad = [trial for trial in done if trial.wrong]
                failed += len(bad)
                registry = f"client tokens {'honoured' if tokens else 'ignored'}"
                killed = f" ({sum(trial.killed for trial in done)} before the run had ended)" if kind is kill else ""
                seconds = time.monotonic() - began
                print(f"{len(done)} {kind.__name__}s{killed}, {registry}: {len(bad)} failed, {seconds:.0f} s", flush=True)
                for trial in bad:
                    log = LOGS / f"{trial.name.split(',')[0].replace(' ', '-')}-tokens-{int(tokens)}.log"
                    log.write_text(trial.text())
                    print(f"  {trial.name}: {'; '.join(trial.wrong)} ({log})", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
