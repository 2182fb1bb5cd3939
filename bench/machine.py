"""The machine under the measurements: what else runs on it, and what is left of its disk."""

import os
import shutil
import time
from pathlib import Path


def busy(seconds=1.0):
    """The share of all cores that other programs take while this one does nothing, from 0 to 1."""
    before, began = ticks(), time.monotonic()
    time.sleep(seconds)
    idle, total = (after - earlier for after, earlier in zip(ticks(), before, strict=True))
    return max(0.0, 1 - idle / total) if time.monotonic() > began and total else 0.0


def ticks():
    """Idle ticks and all ticks of all cores since the start."""
    numbers = [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return numbers[3] + numbers[4], sum(numbers)


def quiet(patience):
    """Waits at most `patience` seconds until others take less than a tenth of the cores; returns what they take."""
    deadline = time.monotonic() + patience
    while (share := busy()) > 0.1 and time.monotonic() < deadline:
        pass
    return share


def server_cpu():
    """CPU seconds, user and system, that SeaweedFS, a child of this process, has taken so far."""
    children = " ".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).split()
    stats = (Path(f"/proc/{child}/stat").read_text().rpartition(")") for child in children)
    fields = [rest.split() for name, _, rest in stats if name.endswith("(weed")]
    return sum(int(of[11]) + int(of[12]) for of in fields) / os.sysconf("SC_CLK_TCK")


def free_bytes(folder):
    """What the disk still takes."""
    return shutil.disk_usage(folder).free


def described():
    """Cores and kind of CPU."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    return f"{len(os.sched_getaffinity(0))} cores, {model}"
