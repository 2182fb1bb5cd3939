"""An S3 that has many small objects and never tires: it answers each request after a while, however many are under way,
as Amazon S3 does, and copies nothing. On two cores SeaweedFS answers 1,400 copies a second at most, and its load
decides; here it is the client that decides.

`python -m bench.tireless PORT PREFIX OBJECTS` runs it.
"""

import asyncio
import sys
import urllib.request
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

from bench.trips import DELAY
from standins.server import free_ports, serving

PAGE = 1000
SIZE = 16 << 10
ETAG = "d41d8cd98f00b204e9800998ecf8427e"
DATE = "2026-11-27T00:00:00.000Z"
XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
# Asks how many objects were copied.
COPIED = "/-/copied"
FACTS = f"<LastModified>{DATE}</LastModified><ETag>&quot;{ETAG}&quot;</ETag>"
COPY = f"<CopyObjectResult {XMLNS}>{FACTS}</CopyObjectResult>"
NO_UPLOADS = f"<ListMultipartUploadsResult {XMLNS}><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"


@contextmanager
def tireless(folder, prefix, objects):
    """Runs it in a process of its own while the block runs, and yields its URL."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "bench.tireless", str(port), prefix, str(objects)]
    with serving(command, folder / "tireless.log", lambda: copied(url) == 0):
        yield url


def copied(url):
    """How many objects were copied; nothing while it does not answer."""
    try:
        with urllib.request.urlopen(url + COPIED, timeout=5) as answer:
            return int(answer.read())
    except OSError:
        return None


class Source:
    """What there is below the one prefix, and what was copied."""

    def __init__(self, prefix, objects):
        self.prefix, self.objects, self.copies = prefix, objects, set()

    def answer(self, method, target, headers):
        """Status, further headers and body, by what is asked for and the names of the headers."""
        url = urlsplit(target)
        if url.path == COPIED:
            return 200, {}, str(len(self.copies))
        query = parse_qs(url.query, keep_blank_values=True)
        if method == "PUT" and "x-amz-copy-source" in headers:
            self.copies.add(unquote(url.path))
            return 200, {}, COPY
        if method == "HEAD":
            return self.head(unquote(url.path))
        if method == "GET" and "uploads" in query:
            return 200, {}, NO_UPLOADS
        if method == "GET":
            return 200, {}, self.page(query)
        return 501, {}, ""

    def head(self, path):
        """A bucket, an object of the source, or nothing."""
        bucket, _, key = path.removeprefix("/").partition("/")
        if not key:
            return 200, {}, ""
        if not key.startswith(self.prefix):
            return 404, {}, ""
        facts = {"ETag": f'"{ETAG}"', "Content-Length": SIZE, "Last-Modified": "Fri, 27 Nov 2026 00:00:00 GMT"}
        return 200, facts, ""

    def page(self, query):
        """A page of a listing; the target is empty."""
        prefix = query.get("prefix", [""])[0]
        begin = self.begin(query)
        end = min(begin + PAGE, self.objects) if prefix.startswith(self.prefix) else begin
        more = end < self.objects and end > begin
        token = f"<NextContinuationToken>{end}</NextContinuationToken>" if more else ""
        return (
            f"<ListBucketResult {XMLNS}><Prefix>{prefix}</Prefix><KeyCount>{end - begin}</KeyCount>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{''.join(map(self.entry, range(begin, end)))}"
            "</ListBucketResult>"
        )

    def begin(self, query):
        """The first object of a page: the second version of the call has a token for it, the first the key before."""
        if marker := query.get("marker", [""])[0]:
            return int(marker.removeprefix(self.prefix).removesuffix(".bin")) + 1
        return int(query.get("continuation-token", ["0"])[0])

    def entry(self, number):
        """One object of a listing."""
        return (
            f"<Contents><Key>{self.prefix}{number:07}.bin</Key>{FACTS}<Size>{SIZE}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )


class Connection(asyncio.Protocol):
    """Takes requests without content, one after the other."""

    def __init__(self, source):
        self.source, self.received, self.transport = source, b"", None

    def connection_made(self, transport):
        """It can be answered now."""
        self.transport = transport

    def data_received(self, data):
        """Answers each request that is complete."""
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            line, *rest = head.decode().split("\r\n")
            method, target, _ = line.split(" ")
            headers = {name.partition(":")[0].lower() for name in rest}
            delay = 0 if target == COPIED else DELAY
            answer = self.source.answer(method, target, headers)
            asyncio.get_running_loop().call_later(delay, self.send, method, *answer)

    def send(self, method, status, headers, body):
        """Sends an answer, if somebody still waits for it."""
        if self.transport.is_closing():
            return
        headers = {"Content-Length": len(body), "Content-Type": "application/xml", "Server": "AmazonS3"} | headers
        lines = [f"HTTP/1.1 {status} .", *(f"{name}: {value}" for name, value in headers.items())]
        self.transport.write("\r\n".join([*lines, "", "" if method == "HEAD" else body]).encode())


async def main(port, prefix, objects):
    """Serves until it is ended."""
    source = Source(prefix, int(objects))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(source), "127.0.0.1", int(port), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
