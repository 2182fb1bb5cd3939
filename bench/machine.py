"""The machine that measures: its description, its load, and the space that is left on it."""

import os
import platform
import shutil
import time
from pathlib import Path


def busy(seconds=1.0):
    """The share of all cores that other programs use while this one sleeps, from 0 to 1."""
    before, began = ticks(), time.monotonic()
    time.sleep(seconds)
    idle, total = (after - earlier for after, earlier in zip(ticks(), before, strict=True))
    return max(0.0, 1 - idle / total) if time.monotonic() > began and total else 0.0


def ticks():
    """Idle ticks and all ticks of all cores since the machine started."""
    numbers = [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return numbers[3] + numbers[4], sum(numbers)


def quiet(patience):
    """Waits at most `patience` seconds until other programs use less than a tenth of the cores; returns their share."""
    deadline = time.monotonic() + patience
    while (share := busy()) > 0.1 and time.monotonic() < deadline:
        pass
    return share


def server_cpu():
    """CPU seconds, user and system, that SeaweedFS, a child of this process, has used so far."""
    children = " ".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).split()
    stats = (Path(f"/proc/{child}/stat").read_text().rpartition(")") for child in children)
    fields = [rest.split() for name, _, rest in stats if name.endswith("(weed")]
    return sum(int(of[11]) + int(of[12]) for of in fields) / os.sysconf("SC_CLK_TCK")


def free_bytes(folder):
    """The space that is left for objects; a tmpfs has no more than the memory."""
    free = shutil.disk_usage(folder).free
    return min(free, memory("MemAvailable")) if filesystem(folder) == "tmpfs" else free


def memory(name):
    """A line of /proc/meminfo, in bytes."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def filesystem(folder):
    """The type of the file system that a folder is on."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(len(at), kind) for at, kind in mounts if folder.resolve().is_relative_to(at)]
    return max(above)[1]


def described():
    """Cores, kind of CPU, memory and kernel."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    return (
        f"{len(os.sched_getaffinity(0))} cores ({model}), {memory('MemTotal') / (1 << 30):.0f} GiB of memory, "
        f"Linux {platform.release()}"
    )
