"""A proxy in front of a service that passes everything on unchanged and counts what passes, call by call."""

import http.client
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

CHUNK = 1 << 18


@dataclass(frozen=True)
class Call:
    """One request: what it asked for, on which key, the answer's status, the bytes of both bodies, from when to when it
    took, in seconds of the monotonic clock, and the access key of who asked."""

    operation: str
    bucket: str
    key: str
    status: int
    sent: int
    received: int
    began: float
    ended: float
    asker: str


@contextmanager
def counting(upstream, delay=0.0, rate=None, name=None, before=None):
    """Runs the proxy while the block runs, and yields its URL and the list of calls so far.

    Each request waits `delay` seconds before it is passed on, as if the service were that far away; each connection
    moves no more than `rate` bytes a second; answers say that they are of the server `name`; and `before` is called
    with the operation and the key of each request before it is passed on.
    """
    calls = []
    server = Proxy(("127.0.0.1", 0), Handler)
    server.upstream, server.calls = urlsplit(upstream).netloc, calls
    server.delay, server.rate, server.name, server.before = delay, rate, name, before
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Proxy(ThreadingHTTPServer):
    """A thread for each connection, none of which keeps the process alive."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    # As if there were no proxy.
    delay, rate, name, before = 0.0, None, None, None

    def handle_error(self, request, client_address):
        """A client may hang up when it likes: no traceback for that."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection of a client; the Host header is passed on as well, because the signature covers it."""

    protocol_version = "HTTP/1.1"
    # Head and body are two writes: the second one must not wait until the client has acknowledged the first.
    disable_nagle_algorithm = True

    def handle(self):
        """Every request of the connection, over one connection to S3."""
        self.s3 = http.client.HTTPConnection(self.server.upstream, timeout=120)
        try:
            super().handle()
        finally:
            self.s3.close()

    def forward(self):
        """Passes the request there and the answer back."""
        began = time.monotonic()
        time.sleep(self.server.delay)
        asked = named(self.command, self.path, self.headers)
        if self.server.before:
            self.server.before(asked[0], asked[2])
        self.s3.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            self.s3.putheader(name, value)
        self.s3.endheaders()
        # S3 clients always say how long a body is, also one in aws-chunked pieces.
        sent = pump(self.rfile, self.s3.send, int(self.headers.get("Content-Length", 0)), self.server.rate)
        answer = self.s3.getresponse()
        received = self.answer(answer)
        ended, asker = time.monotonic(), access_key(self.headers)
        self.server.calls.append(Call(*asked, answer.status, sent, received, began, ended, asker))

    def answer(self, answer):
        """Passes the answer back and returns the length of its body."""
        unknown = b"" if answer.length is not None else answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, self.server.name or value if name.lower() == "server" else value)
        if unknown:
            self.send_header("Content-Length", str(len(unknown)))
        self.end_headers()
        self.wfile.write(unknown)
        received = len(unknown) + pump(answer, self.wfile.write, answer.length or 0, self.server.rate)
        # The connection is free for the next request only after the end was read.
        answer.read()
        return received

    def log_message(self, *_):
        """Silent: the calls are the log."""

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = forward


def pump(reader, write, length, rate):
    """Moves `length` bytes piece by piece, as fast as the rate allows, and returns how many there were."""
    left = length
    while left and (piece := reader.read(min(CHUNK, left))):
        write(piece)
        left -= len(piece)
        time.sleep(len(piece) / rate if rate else 0)
    return length - left


def named(method, path, headers):
    """The service's name for the request; of S3 also its bucket and its key."""
    if target := headers.get("X-Amz-Target"):
        return target.rpartition(".")[2], "", ""
    if "/sts/aws4_request" in headers.get("Authorization", ""):
        return "sts", "", ""
    url = urlsplit(path)
    bucket, _, key = url.path.lstrip("/").partition("/")
    query = parse_qs(url.query, keep_blank_values=True)
    copies = "x-amz-copy-source" in headers
    if "partNumber" in query and method == "PUT":
        operation = "UploadPartCopy" if copies else "UploadPart"
    elif "uploads" in query:
        operation = "CreateMultipartUpload" if method == "POST" else "ListMultipartUploads"
    elif "uploadId" in query:
        operation = {"POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}.get(method, "ListParts")
    elif copies:
        operation = "CopyObject"
    else:
        operation = method.title() + ("Object" if key else "Bucket")
    return operation, unquote(bucket), unquote(key)


def access_key(headers):
    """The access key with which a request is signed, if it is."""
    return headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]


def artifact_bytes(calls):
    """How many bytes of objects went through the client, either way; its own record and claims are none."""
    moves = ("GetObject", "PutObject", "UploadPart")
    moved = (call for call in calls if call.operation in moves)
    artifacts = (call for call in moved if not call.key.endswith("/promotion.json") and "/_claims/" not in call.key)
    return sum(call.sent + call.received for call in artifacts)
