"""Runs one command and writes its wall time, CPU time, peak memory and exit code to a file.

A process of its own, and a small one: Linux counts the memory of whoever starts a program as that program's.
"""

import os
import sys
import time


def main(report, program, *arguments):
    """Starts the program without a terminal, waits for it, and reports."""
    null = os.open(os.devnull, os.O_RDONLY)
    actions = [(os.POSIX_SPAWN_DUP2, null, 0)]
    began = time.monotonic()
    process = os.posix_spawn(program, [program, *arguments], os.environ, file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    wall = time.monotonic() - began
    with open(report, "w") as file:
        cpu = usage.ru_utime + usage.ru_stime
        file.write(f"{wall} {cpu} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
