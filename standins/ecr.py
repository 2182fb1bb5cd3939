"""Amazon ECR: a private registry for each account, with the calls that copy an image, and the URLs of its layers."""

import hashlib
import json
import re
import sys
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pybase64

from standins.principals import REGION

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
PULLS = ("BatchGetImage", "GetDownloadUrlForLayer", "BatchCheckLayerAvailability")
PART = 10 << 20


class Refused(Exception):
    """An error of the service: its code, and further members of the body."""

    def __init__(self, code, **members):
        super().__init__(code)
        self.code, self.members = code, members


class Synthetic:
    """A layer of any size that is not in memory: one block, over and over. What is uploaded of it is not kept."""

    def __init__(self, block, size):
        self.block, self.size = block, size

    def __len__(self):
        return self.size

    def pieces(self, first=0, last=None):
        """The bytes from `first` to `last`."""
        last = self.size - 1 if last is None else min(last, self.size - 1)
        while first <= last:
            at = first % len(self.block)
            piece = memoryview(self.block)[at : at + last + 1 - first]
            first += len(piece)
            yield piece

    def digest(self):
        """The digest."""
        hashed = hashlib.sha256()
        for piece in self.pieces():
            hashed.update(piece)
        return f"sha256:{hashed.hexdigest()}"


@dataclass
class Upload:
    """The bytes of a layer that is not complete, unless they are only counted, and what they hash to."""

    keeps: bool
    size: int = 0
    parts: list[bytes] = field(default_factory=list)
    hashed: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, part):
        """Takes the next part."""
        self.size += len(part)
        self.hashed.update(part)
        if self.keeps:
            self.parts.append(part)


@dataclass
class Repository:
    """Manifests and layers by digest, digests by tag, and the parts of what is not complete."""

    manifests: dict[str, tuple[str, str]] = field(default_factory=dict)
    layers: dict[str, bytes | Synthetic] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def write_layout(self, folder, digest):
        """Writes everything into a folder, where other programs find the image of this digest with the tag 1 (OCI image
        layout)."""
        blobs = folder / "blobs/sha256"
        blobs.mkdir(parents=True)
        texts = {name: text.encode() for name, (text, _) in self.manifests.items()}
        for name, content in (self.layers | texts).items():
            (blobs / name.partition(":")[2]).write_bytes(content)
        text, kind = self.manifests[digest]
        names = {"org.opencontainers.image.ref.name": "1"}
        root = {"mediaType": kind, "digest": digest, "size": len(text.encode()), "annotations": names}
        (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


class Registries:
    """The registries of all accounts. `accounts` has the account of each access key, and the keys that may pull."""

    def __init__(self, accounts, pulling):
        self.accounts, self.pulling, self.url = accounts, pulling, ""
        self.repositories, self.downloads, self.calls = {}, {}, []
        self.keeps_layers = True
        # The address of another server that has the layers, where there is one.
        self.layers_at = None
        self.lock = threading.Lock()

    def push(self, account, name, tag, *layers):
        """Pushes an index of one image with these layers, and returns the digest of the index."""
        repository = self.repositories.setdefault((account, name), Repository())
        config = json.dumps({"architecture": "amd64", "os": "linux"}).encode()
        kinds = ["application/vnd.oci.image.config.v1+json"]
        kinds += ["application/vnd.oci.image.layer.v1.tar+gzip"] * len(layers)
        described = [descriptor(kind, blob) for kind, blob in zip(kinds, (config, *layers), strict=True)]
        repository.layers |= {digest_of(blob): blob for blob in (config, *layers)}
        image = manifest(OCI_MANIFEST, config=described[0], layers=described[1:])
        repository.manifests[digest_of(image.encode())] = (image, OCI_MANIFEST)
        platform = {"architecture": "amd64", "os": "linux"}
        index = manifest(OCI_INDEX, manifests=[descriptor(OCI_MANIFEST, image.encode()) | {"platform": platform}])
        digest = repository.tags[tag] = digest_of(index.encode())
        repository.manifests[digest] = (index, OCI_INDEX)
        return digest

    def pushed(self, account):
        """The bytes of every manifest and layer of an account, by digest."""
        found = {}
        for (owner, _), repository in self.repositories.items():
            if owner == account:
                found |= {digest: text.encode() for digest, (text, _) in repository.manifests.items()}
                found |= repository.layers
        return found

    def answer(self, operation, request, key):
        """The answer to a call of who has this access key."""
        caller = self.accounts.get(key)
        if caller is None:
            raise Refused("UnrecognizedClientException")
        account, name = request.get("registryId", caller), request.get("repositoryName")
        if account != caller and not (operation in PULLS and key in self.pulling):
            raise Refused("AccessDeniedException", message=f"not authorized to perform: ecr:{operation}")
        if operation == "UploadLayerPart":
            # Parts of several layers are decoded and hashed at once.
            with self.lock:
                self.calls.append((operation, account, name))
                repository = self.found(account, name)
            return upload_part(repository, request)
        with self.lock:
            self.calls.append((operation, account, name))
            if operation == "DescribeRepositories":
                own = sorted(name for owner, name in self.repositories if owner == account)
                return {"repositories": [self.described(account, name) for name in request.get("repositoryNames", own)]}
            if operation == "CreateRepository":
                if (account, name) in self.repositories:
                    raise Refused("RepositoryAlreadyExistsException")
                self.repositories[account, name] = Repository()
                return {"repository": self.described(account, name)}
            repository = self.found(account, name)
            if operation == "DeleteRepository":
                if repository.manifests and not request.get("force"):
                    raise Refused("RepositoryNotEmptyException")
                del self.repositories[account, name]
                return {}
            if operation == "GetDownloadUrlForLayer":
                return {"downloadUrl": self.download_url(repository, request["layerDigest"])}
            if operation == "InitiateLayerUpload":
                return initiate(repository, Upload(self.keeps_layers))
            calls = {
                "BatchGetImage": batch_get_image,
                "ListImageReferrers": lambda *_: {"referrers": []},
                "BatchCheckLayerAvailability": check_layers,
                "CompleteLayerUpload": complete,
                "PutImage": put_image,
            }
            if operation not in calls:
                raise Refused("UnknownOperationException")
            return calls[operation](repository, request)

    def found(self, account, name):
        """The repository."""
        if (account, name) not in self.repositories:
            raise Refused("RepositoryNotFoundException", message=f"{account}/{name} does not exist")
        return self.repositories[account, name]

    def described(self, account, name):
        """What DescribeRepositories says."""
        self.found(account, name)
        arn = f"arn:aws:ecr:{REGION}:{account}:repository/{name}"
        return {"repositoryArn": arn, "registryId": account, "repositoryName": name, "imageTagMutability": "MUTABLE"}

    def download_url(self, repository, digest):
        """A URL that needs no credentials."""
        if digest not in repository.layers:
            raise Refused("LayersNotFoundException")
        if self.layers_at:
            return f"{self.layers_at}/{digest}"
        token = uuid.uuid4().hex
        self.downloads[token] = repository.layers[digest]
        return f"{self.url}/layer?X-Amz-Signature={token}"


def digest_of(content):
    """The digest of a manifest or a layer."""
    if isinstance(content, Synthetic):
        return content.digest()
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(kind, content):
    """How a manifest names something."""
    return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}


def manifest(kind, **members):
    """The text of a manifest, indented as Docker's are: who writes it anew changes its digest."""
    return json.dumps({"schemaVersion": 2, "mediaType": kind, **members}, indent=3)


def batch_get_image(repository, request):
    """BatchGetImage."""
    images, failures = [], []
    for image_id in request["imageIds"]:
        digest = image_id.get("imageDigest") or repository.tags.get(image_id["imageTag"])
        if digest not in repository.manifests:
            failures.append({"imageId": image_id, "failureCode": "ImageNotFound", "failureReason": "not found"})
            continue
        text, kind = repository.manifests[digest]
        image_id = image_id | {"imageDigest": digest}
        images.append({"imageId": image_id, "imageManifest": text, "imageManifestMediaType": kind})
    return {"images": images, "failures": failures}


def check_layers(repository, request):
    """BatchCheckLayerAvailability."""
    if not 1 <= len(request["layerDigests"]) <= 100:
        raise Refused("InvalidParameterException")
    state = {True: "AVAILABLE", False: "UNAVAILABLE"}
    layers = [(digest, digest in repository.layers) for digest in request["layerDigests"]]
    return {"layers": [{"layerDigest": digest, "layerAvailability": state[there]} for digest, there in layers]}


def initiate(repository, upload):
    """InitiateLayerUpload."""
    name = str(uuid.uuid4())
    repository.uploads[name] = upload
    return {"uploadId": name, "partSize": PART}


def upload_part(repository, request):
    """UploadLayerPart: parts come one after the other, and have at most 20 MiB."""
    blob, upload = pybase64.b64decode(request["layerPartBlob"], validate=True), repository.uploads.get(request["uploadId"])
    if upload is None:
        raise Refused("UploadNotFoundException")
    if len(blob) > 20 << 20 or request["partLastByte"] + 1 - request["partFirstByte"] != len(blob):
        raise Refused("InvalidParameterException")
    with upload.lock:
        if request["partFirstByte"] != upload.size:
            raise Refused("InvalidLayerPartException", lastValidByteReceived=upload.size - 1)
        upload.add(blob)
        return {"uploadId": request["uploadId"], "lastByteReceived": upload.size - 1}


def complete(repository, request):
    """CompleteLayerUpload."""
    upload, (digest,) = repository.uploads.get(request["uploadId"]), request["layerDigests"]
    if upload is None:
        raise Refused("UploadNotFoundException")
    if f"sha256:{upload.hashed.hexdigest()}" != digest:
        raise Refused("InvalidLayerException")
    if digest in repository.layers:
        raise Refused("LayerAlreadyExistsException")
    repository.layers[digest] = b"".join(repository.uploads.pop(request["uploadId"]).parts)
    return {"layerDigest": digest}


def put_image(repository, request):
    """PutImage: what the manifest refers to has to be there."""
    text = request["imageManifest"]
    parsed, digest, tag = json.loads(text), digest_of(text.encode()), request.get("imageTag")
    if request.get("imageDigest", digest) != digest:
        raise Refused("ImageDigestDoesNotMatchException")
    blobs = [blob["digest"] for blob in (parsed.get("config"), *parsed.get("layers", [])) if blob]
    if not repository.layers.keys() >= set(blobs):
        raise Refused("LayersNotFoundException")
    if not repository.manifests.keys() >= {child["digest"] for child in parsed.get("manifests", [])}:
        raise Refused("ReferencedImagesNotFoundException")
    if digest in repository.manifests and (tag is None or repository.tags.get(tag) == digest):
        raise Refused("ImageAlreadyExistsException")
    repository.manifests[digest] = (text, parsed.get("mediaType", request.get("imageManifestMediaType")))
    if tag:
        repository.tags[tag] = digest
    return {"image": {"imageId": {"imageDigest": digest}}}


class Server(ThreadingHTTPServer):
    """A server whose clients may be killed."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        """Prints what went wrong, unless the client has closed its connection."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def parsed(body):
    """The request. The bytes of a part are cut out first: json would take longer for them than all the rest takes."""
    member = b'"layerPartBlob":"'
    if (begin := body.find(member)) < 0:
        return json.loads(body)
    begin += len(member)
    end = body.index(b'"', begin)
    return json.loads(body[:begin] + body[end:]) | {"layerPartBlob": body[begin:end]}


@contextmanager
def ecr(principals):
    """Serves the registries while the block runs. The principal `pipeline` may pull from the source account."""
    accounts = {principal.access_key: principal.identity.account for principal in principals}
    pulling = {principal.access_key for principal in principals if principal.identity.name == "pipeline"}
    registries = Registries(accounts, pulling)

    class Handler(BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            """Requests are not printed."""

        def do_POST(self):
            """A call."""
            size = int(self.headers["content-length"])
            body = self.rfile.read(size)
            if len(body) < size:
                # The client was killed.
                self.close_connection = True
                return
            key = re.search(r"Credential=([^/]+)/", self.headers.get("authorization", ""))
            operation = self.headers.get("x-amz-target", "").rpartition(".")[2]
            try:
                status, answer = 200, registries.answer(operation, parsed(body), key and key[1])
            except Refused as refused:
                status, answer = 400, {"__type": refused.code, "message": refused.code} | refused.members
            self.send(status, json.dumps(answer).encode(), "application/x-amz-json-1.1")

        def do_GET(self):
            """A layer, or its end from a byte on."""
            (token,) = parse_qs(urlsplit(self.path).query).get("X-Amz-Signature", [""])
            layer = registries.downloads.get(token)
            if layer is None or "authorization" in self.headers:
                return self.send(403, b"", "application/xml")
            first, last = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", "bytes=0-")).groups()
            first, last = int(first), min(int(last or len(layer) - 1), len(layer) - 1)
            if isinstance(layer, Synthetic):
                self.begin(206, last + 1 - first, "application/octet-stream")
                for piece in layer.pieces(first, last):
                    self.wfile.write(piece)
                return None
            return self.send(206, memoryview(layer)[first : last + 1], "application/octet-stream")

        def begin(self, status, size, kind):
            """The head of an answer."""
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(size))
            self.end_headers()

        def send(self, status, body, kind):
            """Answers."""
            self.begin(status, len(body), kind)
            self.wfile.write(body)

    server = Server(("127.0.0.1", 0), Handler)
    registries.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield registries
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
