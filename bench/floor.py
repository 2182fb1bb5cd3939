"""The time that the server alone needs for many small copies: the client only sends requests that were signed before.
Measured with and without promote's condition that nothing is overwritten."""

import os
import select
import socket
import time
from functools import partial
from itertools import islice
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.machine import server_cpu
from bench.runs import Run, rounds
from bench.workloads import BUCKET
from standins.principals import REGION

# As many as promote begins with; more are no faster.
CONNECTIONS = 128


def measure(bench, tools, workload, count, patience):
    """The wall and CPU seconds of the tools and of the floor, in turns; the first round warms up."""
    sources = listed(bench, workload)
    runners = {tool.name: partial(bench.run, tool, workload) for tool in tools}
    runners["the requests alone"] = partial(alone, bench, workload, sources)
    runners["the requests alone, may overwrite"] = partial(alone, bench, workload, sources, without={"if-none-match"})
    runs, shares = rounds(runners, count, patience)
    return {"objects": len(sources), "runs": runs, "busy": shares}


def listed(bench, workload):
    """Key and ETag of each object."""
    pages = bench.target.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{workload.slug}/")
    return [(item["Key"], item["ETag"]) for page in pages for item in page["Contents"]]


def alone(bench, workload, sources, without=frozenset()):
    """One run into an empty target, without some of the headers."""
    bench.target.renew()
    host = urlsplit(bench.aws.objects).netloc
    folder = bench.values(workload, bench.aws.objects)["target"].removesuffix(f"{workload.slug}/")
    (principal,) = (one for one in bench.aws.principals if one.identity.name == "pipeline")
    signer = S3SigV4Auth(Credentials(principal.access_key, principal.secret_key), "s3", REGION)
    requests = [signed(signer, host, f"{folder}{key}", headers(key, etag, without)) for key, etag in sources]
    before, server, began = os.times(), server_cpu(), time.monotonic()
    send(host, requests)
    wall, after = time.monotonic() - began, os.times()
    cpu = after.user + after.system - before.user - before.system
    run = Run(wall, cpu, 0, server_cpu() - server)
    there = len(bench.target.objects())
    if there != len(sources):
        raise RuntimeError(f"{there} of {len(sources)} objects were copied")
    return run


def headers(key, etag, without):
    """A CopyObject on the same conditions as promote's: the source is this one, and nothing is overwritten."""
    every = {
        "content-length": "0",
        "if-none-match": "*",
        "x-amz-copy-source": quote(f"{BUCKET}/{key}"),
        "x-amz-copy-source-if-match": etag,
        "x-amz-metadata-directive": "COPY",
        "x-amz-tagging-directive": "REPLACE",
    }
    return {name: value for name, value in every.items() if name not in without}


def signed(signer, host, target, headers):
    """The bytes of the request."""
    request = AWSRequest("PUT", f"http://{host}/{quote(target)}", headers=headers)
    signer.add_auth(request)
    lines = [f"PUT /{quote(target)} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def send(host, requests):
    """Each connection has one request under way until all are answered."""
    name, port = host.split(":")
    waiting, answered = iter(requests), 0
    poll = select.epoll()
    connections = {}
    for request in islice(waiting, CONNECTIONS):
        connection = socket.create_connection((name, int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections[connection.fileno()] = connection
        connection.sendall(request)
        poll.register(connection.fileno(), select.EPOLLIN)
    while answered < len(requests):
        for number, _ in poll.poll():
            answer = connections[number].recv(1 << 16)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"a copy was answered with {answer[:500]!r}")
            answered += 1
            if request := next(waiting, None):
                connections[number].sendall(request)
            else:
                poll.unregister(number)
    for connection in connections.values():
        connection.close()
