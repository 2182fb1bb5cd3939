"""An S3 that spends time instead of moving bytes. Each request takes `DELAY`, however many are under way, and a copy
takes as much longer as a limited rate needs for its bytes. `stub_s3.py` answers the requests.

`python -m bench.stub PORT CONTENT` serves what a JSON file describes.
"""

import asyncio
import json
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stub_s3 import Content, Request
from bench.trips import DELAY, NAME
from bench.workloads import BUCKET
from standins.server import free_ports, serving

# Bytes a second that a CopyObject or an UploadPartCopy copies. Amazon S3 copied 4 GB in one request in 72 s, and in
# parts at once in 20 s (s3fs-fuse, pull request 940, 2019); 250 MB in one request in 3 s (aws-sdk-js-v3, issue 2917,
# 2021). That is 56 to 83 MB/s.
RATE = 70_000_000
# S3 begins its answer to a long copy early, and sends white space until it is done: clients would give up otherwise.
PATIENCE = 5
# Asks what was requested and copied.
REPORT = "/-/report"


@dataclass(frozen=True)
class Report:
    """What a stub has seen: requests by operation, size by key of the target, and whether copies keep their metadata."""

    requests: dict[str, int]
    objects: dict[str, int]
    keeps_metadata: bool


@contextmanager
def stub(folder, workload, rate=None):
    """Serves the objects of a workload in a process of its own while the block runs; yields its URL."""
    (port,) = free_ports(1)
    content = {"bucket": BUCKET, "prefix": f"{workload.slug}/", "objects": list(workload.objects()), "rate": rate}
    file = folder / "stub.json"
    file.write_text(json.dumps(content))
    url = f"http://127.0.0.1:{port}"
    with serving([sys.executable, "-m", "bench.stub", str(port), str(file)], folder / "stub.log", lambda: report(url)):
        yield url


def report(url):
    """The report of a running stub; nothing while it does not answer."""
    try:
        with urllib.request.urlopen(url + REPORT, timeout=5) as answer:
            return Report(**json.loads(answer.read()))
    except OSError:
        return None


class Connection(asyncio.Protocol):
    """One connection of a client, which sends its next request after the answer to the last one."""

    def __init__(self, content, rate):
        self.content, self.rate, self.received, self.transport = content, rate, b"", None

    def connection_made(self, transport):
        """It can be answered now."""
        self.transport = transport

    def data_received(self, data):
        """Answers each request that is complete."""
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, rest = self.received.partition(b"\r\n\r\n")
            line, *lines = head.decode().split("\r\n")
            method, target, _ = line.split(" ")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self.received = rest[length:]
            self.answer(Request(method, target, headers, rest[:length]))

    def answer(self, request):
        """Answers after the time that the request takes."""
        if request.target == REPORT:
            return self.send("GET", 200, {}, json.dumps(self.content.report()))
        status, headers, body = self.content.answer(request)
        seconds = DELAY + (self.content.copied_bytes(request) / self.rate if self.rate else 0)
        later = asyncio.get_running_loop().call_later
        if seconds < PATIENCE:
            later(seconds, self.send, request.method, status, headers, body)
            return None
        later(DELAY, self.begin)
        for number in range(1, int(seconds / PATIENCE)):
            later(number * PATIENCE, self.chunk, " ")
        later(seconds, self.chunk, body)
        later(seconds, self.chunk, "")
        return None

    def send(self, method, status, headers, body):
        """Sends a whole answer."""
        headers = {"content-length": len(body), "content-type": "application/xml", "server": NAME} | headers
        lines = [f"HTTP/1.1 {status} .", *(f"{name}: {value}" for name, value in headers.items())]
        self.write("\r\n".join([*lines, "", "" if method == "HEAD" else body]))

    def begin(self):
        """Sends the beginning of an answer that has no length yet."""
        headers = f"transfer-encoding: chunked\r\ncontent-type: application/xml\r\nserver: {NAME}"
        self.write(f"HTTP/1.1 200 .\r\n{headers}\r\n\r\n")
        self.chunk('<?xml version="1.0" encoding="UTF-8"?>\n')

    def chunk(self, text):
        """Sends the next bytes of it; none are the end."""
        self.write(f"{len(text):x}\r\n{text}\r\n")

    def write(self, text):
        """Sends bytes, if the client still waits for them."""
        if not self.transport.is_closing():
            self.transport.write(text.encode())


async def main(port, file):
    """Serves until the process is ended."""
    described = json.loads(Path(file).read_text())
    rate = described.pop("rate")
    content = Content(**described)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(content, rate), "127.0.0.1", int(port), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
