"""Writes the results of the bench as docs/benchmarks.md."""

from statistics import median

from bench.stub import RATE
from bench.texts import BEGINNING, ENDINGS, INTRODUCTIONS

MIB, GIB = 1 << 20, 1 << 30
# Tables of workloads, in the order of the document.
SETTINGS = ("server-side", "latency-stub", "rate-stub", "stream", "far")


def markdown(results):
    """The whole document, with those tables that were measured."""
    parts = [beginning(results)]
    for setting in SETTINGS:
        tables = [workload(result) for result in results["workloads"] if result["setting"] == setting]
        if tables:
            parts += [INTRODUCTIONS[setting].format(rate=RATE / 1e6), *tables]
        if setting == "server-side" and results.get("floor"):
            parts.append(floor(results["floor"]))
    for name, table in (("memory", memory), ("full", whole), ("program", program)):
        if results.get(name):
            parts.append(f"{INTRODUCTIONS[name]}\n\n{table(results[name])}")
    return "\n\n".join(parts) + "\n"


def beginning(results):
    """The heading, the conditions, and how to read the tables."""
    versions = [f"{name} {number}" for name, number in results["versions"].items()]
    commit = f" (commit {results['commit']})" if results["commit"] else ""
    missing = f" Not installed, so not measured: {', '.join(results['missing'])}." if results["missing"] else ""
    smaller = "" if results["scale"] >= 1 else f"**A quick look: sizes × {results['scale']:g}.** "
    where = "a tmpfs" if results["filesystem"] == "tmpfs" else f"a disk ({results['filesystem']})"
    return BEGINNING.format(
        smaller=smaller,
        date=results["date"],
        machine=results["machine"],
        where=where,
        seaweedfs=results["seaweedfs"],
        versions=", ".join([versions[0] + commit, *versions[1:]]),
        missing=missing,
        runs=results["runs"],
    )


def workload(result):
    """A heading, a table with a row for each tool, and their flags."""
    tools = result["tools"]
    lines = [f"### {heading(result)}", "", *rows(tools), "", *notes(result)]
    return "\n".join([*lines, "Flags:", "", *(flags(name, tool) for name, tool in tools.items())])


def heading(result):
    """The name of a table, which is unique in the document: links lead to it."""
    return result["name"] + ENDINGS[result["setting"]]


def rows(tools):
    """A row for each tool, with those columns that at least one tool has a value for."""
    ours = next(iter(tools.values()))["runs"]
    columns = {
        "wall s": lambda tool: f"{middle(tool, 'wall'):.2f}",
        "×": lambda tool: compared(ours, tool["runs"]),
        "CPU s": lambda tool: f"{middle(tool, 'cpu'):.2f}",
        "server CPU s": lambda tool: f"{server:.2f}" if (server := middle(tool, "server")) else "",
        "RSS MiB": lambda tool: f"{rss / 1024:.0f}" if (rss := middle(tool, "rss")) else "",
        "metadata kept": lambda tool: {True: "yes", False: "no", None: ""}[tool.get("keeps_metadata")],
        "s with 100 ms per request": delayed,
        "dependent round trips": lambda tool: str(tool.get("chain") or ""),
        "requests": lambda tool: requests(tool["requests"]) if tool.get("requests") else "",
    }
    cells = {title: [value(tool) for tool in tools.values()] for title, value in columns.items()}
    cells = {"tool": list(tools)} | {title: column for title, column in cells.items() if any(column)}
    left = ("tool", "metadata kept", "requests")
    yield line(cells)
    yield line("---" if title in left else "--:" for title in cells)
    yield from (line(row) for row in zip(*cells.values(), strict=True))


def delayed(tool):
    """The wall time with a delay before each request, if that was measured."""
    return f"{middle(tool, 'wall', 'delayed'):.1f}" if tool.get("delayed") else ""


def line(cells):
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def middle(tool, what, runs="runs"):
    """The median of the runs."""
    return median(run[what] for run in tool[runs])


def requests(kinds):
    """Their number, and how many there are of each kind."""
    return f"{sum(kinds.values()):,}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def compared(ours, theirs):
    """promote's time divided by a tool's in the same round: the median, and in brackets the least and the greatest."""
    if ours is theirs:
        return ""
    ratios = [one["wall"] / other["wall"] for one, other in zip(ours, theirs, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def notes(result):
    """A second × where there are several promotes, failed runs, and a warning if the machine was busy."""
    tools = result["tools"]
    ours = [name for name in tools if name.startswith("promote")]
    peer = next((name for name in tools if name not in ours), None)
    if peer and len(ours) > 1:
        ratios = (f"{name} × {compared(tools[name]['runs'], tools[peer]['runs'])}" for name in ours)
        yield from (f"Divided by the time of {peer}: {'; '.join(ratios)}.", "")
    if failed := ", ".join(f"{name} {tool['failed']}" for name, tool in tools.items() if tool["failed"]):
        yield from (f"Runs that failed and were repeated: {failed}.", "")
    yield from busy(result["busy"])


def busy(shares):
    """A warning if other programs used the machine."""
    share = median(shares)
    if share > 0.1:
        yield from (f"**The machine was busy: other programs used {share:.0%} of its cores.**", "")


def flags(name, tool):
    """The flags of one tool."""
    where = ", in the AWS configuration" if name == "aws s3" else ""
    return f"- {name}: `{tool['flags']}`{where}" if tool["flags"] else f"- {name}: none"


def floor(measured):
    """Tools beside a client that only sends requests."""
    tools = {name: {"runs": runs} for name, runs in measured["runs"].items()}
    title = INTRODUCTIONS["floor"].format(objects=measured["objects"])
    return "\n".join([title, "", *rows(tools), "", *busy(measured["busy"])]).rstrip()


def memory(measured):
    """promote's peak by the size of the object that it streams."""
    lines = [f"| {row['name']} | {size(row['bytes'])} | {row['rss'] / 1024:.0f} |" for row in measured]
    return "\n".join(["| tool | object | RSS MiB |", "|---|--:|--:|", *lines])


def size(number):
    """A number of bytes."""
    return f"{number / GIB:g} GiB" if number >= GIB else f"{number / MIB:g} MiB"


def whole(measured):
    """`promote full` with a delay before each request to S3, SageMaker and STS."""
    lines = ["| tool | s with 100 ms per request | dependent round trips | requests |", "|---|--:|--:|---|"]
    for row in measured:
        runs = row["runs"]
        chain = min(run["chain"] for run in runs)
        lines.append(f"| {row['name']} | {middle(row, 'wall'):.2f} | {chain} | {requests(runs[0]['requests'])} |")
    return "\n".join(lines)


def program(measured):
    """Start-up and size."""
    lines = [f"| {row['name']} | {row['startup'] * 1000:.1f} | {row['bytes'] / MIB:.1f} |" for row in measured]
    return "\n".join(["| binary | `promote --version`, ms | size, MiB |", "|---|--:|--:|", *lines])
