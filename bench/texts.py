"""The prose of docs/benchmarks.md. It names no number that a later run could change."""

BEGINNING = """\
# Benchmarks

{smaller}`make bench` writes this page. Do not edit it: the text is in `bench/texts.py`, the flags are in
`bench/tools.py`.

How it was measured:

- Date and machine: {date}; {machine}. The machine runs both the tools and the server, with the objects on {where}.
- Versions: {versions}; SeaweedFS {seaweedfs}.{missing}
- Each number is the median of {runs} runs; one more run before them warms up. The tools take turns, one run of each in a
  round, and the order changes from round to round so that each tool follows each other tool equally often.
- All tools use the same identities and write the same keys into an empty bucket. A run counts only if every object is
  at the target with its size.
- Each tool has the flags that suit the server at hand, listed under each table. Flags for endpoints, credentials and
  quiet output are left out.

How to read the tables:

- **×** is the wall time of promote (the first row) divided by the wall time of the tool in the same round, with the
  lowest and the highest ratio in parentheses. Below 1, promote is faster. Compare ratios: absolute times depend on the
  machine.
- **CPU s** is the CPU time of the tool, **server CPU s** that of SeaweedFS, **RSS MiB** the tool's peak memory.
- **metadata kept**: the copies have the `Content-Type`, the `Cache-Control` and the user metadata of their sources.
- **s with 100 ms per request** is the wall time through a proxy that delays each request by 100 ms. **Dependent round
  trips** is the longest chain of requests in such a run in which each request began after the previous one had ended.
- **requests** are requests to S3. promote makes one request to the model registry and two to STS besides. Its requests
  beyond the copies are a listing of the target, a listing of unfinished uploads, and a HEAD of each source that has
  parts: promote resumes where the previous run stopped, and overwrites nothing."""

INTRODUCTIONS = {
    "server-side": """\
## Server-side copies on SeaweedFS

S3 copies, and no byte passes through the client. With large objects the server is the limit, so tools that send the same
requests take the same time.

promote copies objects larger than 128 MiB in parts of 64 MiB, since that is faster on Amazon S3 (see
[below](#server-side-copies-at-a-limited-rate-per-request)). SeaweedFS needs more than twice the CPU time for parts,
because it calculates their checksums again. On such a server, use `--part-size 5GiB`: one request copies one object. The
tables of large objects show both.""",
    "floor": """\
### {objects:,} × 16 KiB, compared with the requests alone

*The requests alone* is a client that only sends copy requests, which were signed before the measurement. No client of
this server can be much faster. It runs with promote's condition that nothing is overwritten, and without it, as s5cmd
sends its requests. With `--no-clobber`, s5cmd overwrites nothing either: it looks at each key before it copies.""",
    "latency-stub": """\
## Server-side copies without a server limit

On SeaweedFS, client and server share the cores, and the server's load decides. Here the server is a stub that answers
each request after 100 ms, however many requests are under way, and copies nothing. The number of concurrent requests
and the client's CPU time decide.""",
    "rate-stub": """\
## Server-side copies at a limited rate per request

Amazon S3 copies an object in one request at a limited rate, so that copying its parts in parallel is faster: 4 GB took
72 s in one request and 20 s in parallel parts
([s3fs-fuse, pull request 940](https://github.com/s3fs-fuse/s3fs-fuse/pull/940)); 250 MB took 3 s in one request
([aws-sdk-js-v3, issue 2917](https://github.com/aws/aws-sdk-js-v3/issues/2917)). That is 56 to 83 MB/s for a request.

The server here is a stub, not Amazon S3. It answers each request after 100 ms, and each copy request after another
second for every {rate:g} MB, however many requests are under way. No bytes are copied. The stub implements our
assumptions, above all that the rate of a request does not depend on the number of requests; the numbers show what
follows from the assumptions, and Amazon S3 may differ.

s5cmd always copies an object in one request. aws s3 (version 1) loses the metadata of objects that it copies in parts.
s3sync is not measured here: it asks for the parts of the source, which the stub does not have.""",
    "stream": """\
## Streaming on SeaweedFS

The client reads with the source's principal and writes with the target's, and neither can see the bucket of the other.
Every byte passes through the client. s5cmd and aws s3 cannot use two principals in one run.""",
    "far": """\
## Streaming over slow connections

The proxy delays each request by 100 ms and limits each connection to 4 MiB/s, so that the number of concurrent requests
decides, and memory limits that number. The other tools are told to use 40 streams; promote uses its default, up to 36.
(Connections to Amazon S3 are about twenty times as fast, which a proxy on this machine cannot simulate for forty at
once.)""",
    "memory": """\
## Memory of streaming copies

The memory of a streaming copy hardly depends on the size of the object. `make memory` measures the memory that promote
needs for a prefix of a million objects.""",
    "full": """\
## A whole promotion

`promote full` of a model of 500 MiB and six small objects, copied server-side with promote's default parts. Each request
to S3, SageMaker and STS is delayed by 100 ms. The registry and STS are moto.""",
    "program": """\
## The program""",
}


# What the heading of a table says after the name of its workload.
ENDINGS = {
    "server-side": ", server-side",
    "latency-stub": ", server-side, no server limit",
    "rate-stub": ", server-side, limited rate per request",
    "stream": ", streaming",
    "far": ", streaming over slow connections",
}
