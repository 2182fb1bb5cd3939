"""What was measured comes in, Markdown comes out that can go into the README as it is."""

from statistics import median

MIB = 1 << 20
MODES = {"server-side": "server-side", "stream": "streaming between two principals"}


def markdown(results):
    """The whole report."""
    parts = [heading(results), *map(workload, results["workloads"])]
    parts += [memory(results["memory"])] if results.get("memory") else []
    parts += [program(results["program"])] if results.get("program") else []
    parts += [whole(results["full"])] if results.get("full") else []
    parts += [floor(results["floor"])] if results.get("floor") else []
    parts += [many(results["many"])] if results.get("many") else []
    parts += [far(results["far"])] if results.get("far") else []
    return "\n\n".join(parts) + "\n"


def heading(results):
    """When, on what and against whom."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    missing = f" Not installed, so left out: {', '.join(results['missing'])}." if results["missing"] else ""
    smaller = "" if results["scale"] >= 1 else f" **A quick look: sizes times {results['scale']:g}.**"
    return (
        f"Measured {results['date']} by `make bench` on {results['machine']}: SeaweedFS {results['seaweedfs']} on the "
        "same machine, all tools with the same identities, each tuned ([`bench/tools.py`](bench/tools.py)): "
        f"{versions}.{missing}{smaller}\n\n"
        "Medians of alternating runs. × is promote's time divided by the tool's in the same round: below 1, promote is "
        "faster. Requests are those to S3; promote makes one to the registry and two to STS besides. Dependent round "
        "trips are the most requests of which each began after the one before had ended, with 100 ms per request."
    )


def workload(result):
    """One table: a row for each tool."""
    rows = [
        "| tool | wall s | × | CPU s | server's CPU s | RSS MiB | metadata kept | s with 100 ms per request "
        "| dependent round trips | requests |",
        "|---|--:|--:|--:|--:|--:|---|--:|--:|---|",
    ]
    rows += [row(name, tool, result["tools"]["promote"]) for name, tool in result["tools"].items()]
    title = f"**{result['name']}, {MODES[result['mode']]}** ({result['runs']} runs{busy(result['busy'])})"
    return "\n".join([title, "", *rows])


def busy(shares):
    """A warning where the machine had other things to do."""
    share = median(shares)
    return f"; the machine was busy: other programs took {share:.0%} of its cores" if share > 0.1 else ""


def row(name, tool, promote):
    """Medians of one tool."""
    runs = tool["runs"]
    ratio = compared(runs, promote["runs"])
    wall, cpu, server, rss = (median(run[what] for run in runs) for what in ("wall", "cpu", "server", "rss"))
    kinds = ", ".join(f"{count} {kind}" for kind, count in tool["requests"].items())
    requests = f"{sum(tool['requests'].values())}: {kinds}"
    kept = "yes" if tool["keeps_metadata"] else "no"
    far = f"{median(run['wall'] for run in tool['delayed']):.1f}" if tool["delayed"] else ""
    measured = f"{wall:.2f} | {ratio} | {cpu:.2f} | {server:.2f} | {rss / 1024:.0f}"
    return f"| {name} | {measured} | {kept} | {far} | {tool['chain'] or ''} | {requests} |"


def compared(runs, promote):
    """promote's wall time divided by another's in the same round."""
    pairs = [ours["wall"] / theirs["wall"] for ours, theirs in zip(promote, runs, strict=True)]
    return "" if runs is promote else f"{median(pairs):.2f}"


def memory(rows):
    """promote's peak by the size of the object that it streams."""
    lines = [f"| {row['bytes'] / (1 << 30):g} GiB | {row['rss'] / 1024:.0f} | {row['wall']:.1f} |" for row in rows]
    return "\n".join(["**Memory of a streaming copy**", "", "| object | RSS MiB | wall s |", "|--:|--:|--:|", *lines])


def program(facts):
    """Start-up and size."""
    return (
        f"**The program**: `promote --version` takes {facts['startup'] * 1000:.1f} ms (median of {facts['starts']}, "
        f"warm) and the release binary {facts['bytes'] / MIB:.1f} MiB."
    )


def whole(runs):
    """`promote full` with a delay before every request to S3, SageMaker and STS."""
    lines = []
    for name, run in runs.items():
        kinds = ", ".join(f"{count} {kind}" for kind, count in run["requests"].items())
        far, requests = median(run["walls"]), sum(run["requests"].values())
        lines.append(f"| {name} | {far:.2f} | {run['chain']} | {requests}: {kinds} |")
    rows = ["| `promote full` | s with 100 ms per request | dependent round trips | requests |", "|---|--:|--:|---|"]
    rows += lines
    return "\n".join(["**The whole promotion** (500 MiB + 6 small, server-side; registry and STS: moto)", "", *rows])


def floor(measured):
    """How near a tool is to a client that costs nothing."""
    title = f"{measured['objects']:,} × 16 KiB, server-side"
    rows = brief(title, measured["runs"], "server's CPU s", lambda run: run["server"])
    return "\n".join(["**What the server alone takes**", "", *rows])


def many(measured):
    """What a tool makes of a server that is no limit."""
    title = f"{measured['objects']:,} × 16 KiB, server-side"
    rows = brief(title, measured["runs"], "RSS MiB", lambda run: run["rss"] / 1024)
    delay = measured["delay"] * 1000
    return "\n".join([f"**On a server that is no limit** ({delay:g} ms per request, however many)", "", *rows])


def far(measured):
    """What a tool makes of a server that is far away."""
    title = f"{measured['bytes'] / MIB:g} MiB, {measured['rate'] / MIB:g} MiB/s a connection"
    rows = brief(title, measured["runs"], "RSS MiB", lambda run: run["rss"] / 1024)
    return "\n".join([f"**Streaming from afar** ({measured['delay'] * 1000:g} ms per request)", "", *rows])


def brief(title, runs, column, value):
    """A row for each tool: wall and CPU time, and one thing more."""
    rows = [f"| {title} | wall s | × | CPU s | {column} |", "|---|--:|--:|--:|--:|"]
    for name, taken in runs.items():
        wall, cpu = (median(run[what] for run in taken) for what in ("wall", "cpu"))
        more = median(map(value, taken))
        rows.append(f"| {name} | {wall:.2f} | {compared(taken, runs['promote'])} | {cpu:.2f} | {more:.3g} |")
    return rows
