"""One server process: started, waited for, and ended with everything it started."""

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path


def free_ports(count):
    """Ports that nobody listens on now; all are held until all are found, so that none comes twice."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


@contextmanager
def serving(command, log: Path, is_ready, environment=None):
    """Runs `command` while the block runs, which begins when `is_ready()` is true."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | (environment or {}),
            # A group of its own: Ctrl-C reaches this process only, which then ends the server.
            start_new_session=True,
        )
    try:
        wait_until_ready(process, log, is_ready)
        yield
    finally:
        # Nothing in it is worth keeping, and SeaweedFS takes 16 s to end when asked politely.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until_ready(process, log: Path, is_ready, seconds=60):
    """Asks every 50 ms; a server that ended or is not ready in time is an error that shows the end of its log."""
    deadline = time.monotonic() + seconds
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise RuntimeError(f"{process.args[0]} did not become ready. The end of its log:\n{last_lines}")
        time.sleep(0.05)
