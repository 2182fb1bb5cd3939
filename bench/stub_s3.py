"""What the stub answers: S3's rules for listings, copies and multipart copies, over objects that have no bytes.

Every object has the same checksum, since nothing is ever read. Whatever else a tool asks is answered with 501, so that
the bench fails instead of showing a wrong number.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import md5
from itertools import count
from urllib.parse import parse_qs, unquote, urlsplit

from bench.trips import SHORTER
from bench.workloads import PART
from standins.proxy import named

PAGE = 1000
CRC64NVME = "AAAAAAAAAAA="
DATE, HTTP_DATE = "2026-11-27T00:00:00.000Z", "Fri, 27 Nov 2026 00:00:00 GMT"
XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
CHECKSUM = f"<ChecksumCRC64NVME>{CRC64NVME}</ChecksumCRC64NVME>"
FULL = f"{CHECKSUM}<ChecksumType>FULL_OBJECT</ChecksumType>"
# The headers of every source object that a copy should keep.
KEPT = {"content-type": "application/gzip", "cache-control": "max-age=3600", "x-amz-meta-trained-by": "bench"}


@dataclass(frozen=True)
class Request:
    """A request, with the names of its headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @cached_property
    def query(self):
        """The members of the query, each with its first value."""
        members = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[0] for name, values in members.items()}

    @cached_property
    def address(self):
        """Operation, bucket and key."""
        headers = {"x-amz-copy-source": ""} if "x-amz-copy-source" in self.headers else {}
        return named(self.method, self.target, headers)


@dataclass
class Item:
    """An object without its bytes."""

    size: int
    etag: str
    keeps_metadata: bool = True


@dataclass
class Upload:
    """A multipart upload: size and ETag by number of part."""

    keeps_metadata: bool
    parts: dict[int, tuple[int, str]] = field(default_factory=dict)


class Content:
    """The source bucket, and one bucket for everything that is written."""

    def __init__(self, bucket, prefix, objects):
        self.bucket = bucket
        self.sources = {f"{prefix}{name}": Item(size, source_etag(name, size)) for name, size in sorted(objects)}
        self.targets, self.uploads, self.numbers, self.requests = {}, {}, count(), Counter()

    def report(self):
        """What a tool has asked for and copied, as `stub.Report` has it."""
        return {
            "requests": dict(self.requests.most_common()),
            "objects": {key: item.size for key, item in self.targets.items()},
            "keeps_metadata": all(item.keeps_metadata for item in self.targets.values()),
        }

    def answer(self, request):
        """Status, further headers and body."""
        operation = request.address[0]
        if operation == "GetBucket":
            operation = "ListObjects"
        self.requests[SHORTER.get(request.address[0], operation)] += 1
        answers = {
            "HeadBucket": lambda _: (200, {"x-amz-bucket-region": "eu-central-1"}, ""),
            "ListObjects": self.listing,
            "ListMultipartUploads": self.listed_uploads,
            "HeadObject": self.head,
            "CopyObject": self.copy,
            "CreateMultipartUpload": self.create,
            "UploadPartCopy": self.copy_part,
            "CompleteMultipartUpload": self.complete,
        }
        if operation not in answers:
            return refusal(501, "NotImplemented")
        return answers[operation](request)

    def items(self, bucket):
        """The objects of a bucket."""
        return self.sources if bucket == self.bucket else self.targets

    def source(self, request):
        """The object that is copied, if there is one."""
        _, _, key = unquote(request.headers.get("x-amz-copy-source", "")).lstrip("/").partition("/")
        return self.sources.get(key)

    def copied_bytes(self, request):
        """How many bytes a request copies."""
        source = self.source(request)
        return copied_range(request, source.size) if source else 0

    def head(self, request):
        """HeadObject."""
        _, bucket, key = request.address
        item = self.items(bucket).get(key)
        if not item:
            return 404, {}, ""
        headers = {"etag": f'"{item.etag}"', "content-length": item.size, "last-modified": HTTP_DATE}
        if request.headers.get("x-amz-checksum-mode"):
            headers |= {"x-amz-checksum-crc64nvme": CRC64NVME, "x-amz-checksum-type": "FULL_OBJECT"}
        return 200, headers | KEPT, ""

    def copy(self, request):
        """CopyObject."""
        _, _, key = request.address
        source = self.source(request)
        if not source:
            return refusal(404, "NoSuchKey")
        if key in self.targets and request.headers.get("if-none-match"):
            return refusal(412, "PreconditionFailed")
        replaced = request.headers.get("x-amz-metadata-directive") == "REPLACE"
        item = Item(source.size, hashed(key), not replaced or carries_metadata(request))
        # The MD5 of an object without parts stays the same.
        item.etag = item.etag if "-" in source.etag else source.etag
        self.targets[key] = item
        return xml("CopyObjectResult", f"<LastModified>{DATE}</LastModified>{quoted(item.etag)}{FULL}")

    def create(self, request):
        """CreateMultipartUpload."""
        _, bucket, key = request.address
        upload = f"upload-{next(self.numbers)}"
        self.uploads[upload] = Upload(carries_metadata(request))
        names = f"<Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{upload}</UploadId>"
        return xml("InitiateMultipartUploadResult", names)

    def copy_part(self, request):
        """UploadPartCopy."""
        upload, source = self.uploads.get(request.query["uploadId"]), self.source(request)
        if not upload or not source:
            return refusal(404, "NoSuchUpload" if source else "NoSuchKey")
        number, etag = int(request.query["partNumber"]), hashed(request.target)
        upload.parts[number] = copied_range(request, source.size), etag
        return xml("CopyPartResult", f"<LastModified>{DATE}</LastModified>{quoted(etag)}{CHECKSUM}")

    def complete(self, request):
        """CompleteMultipartUpload; every part has to be named."""
        _, bucket, key = request.address
        upload = self.uploads.get(request.query["uploadId"])
        if not upload:
            return refusal(404, "NoSuchUpload")
        numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", request.body)]
        if numbers != sorted(upload.parts):
            return refusal(400, "InvalidPart")
        if key in self.targets and request.headers.get("if-none-match"):
            return refusal(412, "PreconditionFailed")
        size, etag = sum(size for size, _ in upload.parts.values()), f"{hashed(key)}-{len(numbers)}"
        self.targets[key] = Item(size, etag, upload.keeps_metadata)
        del self.uploads[request.query["uploadId"]]
        names = f"<Bucket>{bucket}</Bucket><Key>{key}</Key>{quoted(etag)}{FULL}"
        return xml("CompleteMultipartUploadResult", names)

    def listed_uploads(self, _):
        """ListMultipartUploads; a run begins without any."""
        return xml("ListMultipartUploadsResult", "<IsTruncated>false</IsTruncated>")

    def listing(self, request):
        """ListObjects, first and second version."""
        query, (_, bucket, _) = request.query, request.address
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after") or query.get("marker") or ""
        items = self.items(bucket)
        rows = {}
        for key in sorted(items):
            folder, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            name = f"{prefix}{folder}{found}" if found else key
            if key.startswith(prefix) and name > after:
                rows[name] = None if found else items[key]
        page = list(rows.items())[:PAGE]
        more = len(rows) > PAGE
        last = page[-1][0] if page else ""
        next_page = f"<NextContinuationToken>{last}</NextContinuationToken><NextMarker>{last}</NextMarker>"
        return xml(
            "ListBucketResult",
            f"<Name>{bucket}</Name><Prefix>{prefix}</Prefix><KeyCount>{len(page)}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{next_page if more else ''}"
            + "".join(row(name, item) for name, item in page),
        )


def row(name, item):
    """An object of a listing, or a common prefix."""
    if not item:
        return f"<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"
    facts = f"<LastModified>{DATE}</LastModified>{quoted(item.etag)}<Size>{item.size}</Size>"
    return f"<Contents><Key>{name}</Key>{facts}<StorageClass>STANDARD</StorageClass></Contents>"


def copied_range(request, size):
    """The bytes of an object that a request copies: all, or a range."""
    bounds = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("x-amz-copy-source-range", ""))
    return int(bounds[2]) - int(bounds[1]) + 1 if bounds else size


def carries_metadata(request):
    """Whether a request sets the metadata of the source objects."""
    return all(request.headers.get(name) == value for name, value in KEPT.items())


def source_etag(name, size):
    """An ETag as the bench's own uploads have it: of parts, if there are several."""
    return f"{hashed(name)}-{-(-size // PART)}" if size > PART else hashed(name)


def hashed(text):
    """Something that looks like an MD5 of content."""
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def quoted(etag):
    """An ETag in XML."""
    return f"<ETag>&quot;{etag}&quot;</ETag>"


def xml(element, body):
    """A successful answer."""
    return 200, {}, f"<{element} {XMLNS}>{body}</{element}>"


def refusal(status, code):
    """An error."""
    return status, {}, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
