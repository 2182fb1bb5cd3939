"""S3 with accounts that own buckets: a proxy in front of SeaweedFS, which has no owners and says little of denials.

It denies what the owner of a bucket and its policy do not allow, in the words of Amazon S3.
"""

import io
import json
import threading
from contextlib import contextmanager
from fnmatch import fnmatchcase
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from standins.proxy import Handler, Proxy, access_key, named

# The permission that a request needs. Requests for a bucket itself need one of the account that owns it.
PERMISSIONS = {"GetObject": "s3:GetObject", "HeadObject": "s3:GetObject", "GetBucket": "s3:ListBucket"}
PERMISSIONS |= {"DeleteObject": "s3:DeleteObject", "AbortMultipartUpload": "s3:AbortMultipartUpload"}
PERMISSIONS |= {"ListParts": "s3:ListMultipartUploadParts", "ListMultipartUploads": "s3:ListBucketMultipartUploads"}
WRITES = "PutObject", "CopyObject", "UploadPart", "UploadPartCopy", "CreateMultipartUpload", "CompleteMultipartUpload"
PERMISSIONS |= dict.fromkeys(WRITES, "s3:PutObject")


@contextmanager
def owned(upstream, principals):
    """Runs the proxy while the block runs, and yields its URL. Buckets that are created through it have an owner."""
    server = Proxy(("127.0.0.1", 0), Owned)
    server.upstream, server.calls = urlsplit(upstream).netloc, []
    server.accounts = {principal.access_key: principal.identity for principal in principals}
    server.owners, server.policies = {}, {}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Owned(Handler):
    """One connection of a client."""

    def forward(self):
        """Passes the request on unless it is denied, and notes owners and policies."""
        operation, bucket, key = named(self.command, self.path, self.headers)
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        denial = self.denial(operation, bucket, key, query)
        if denial:
            return self.deny(denial)
        if operation == "PutBucket" and "encryption" in query:
            # SSE-S3, which every bucket of AWS has. SeaweedFS would need a key for it.
            self.rfile.read(int(self.headers["Content-Length"]))
            return self.answer_with(200, b"")
        if operation == "PutBucket" and "policy" in query:
            policy = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.policies[bucket] = json.loads(policy)["Statement"]
            connection, self.rfile = self.rfile, io.BytesIO(policy)
            try:
                return super().forward()
            finally:
                self.rfile = connection
        if operation == "PutBucket" and not query and (who := self.who()):
            self.server.owners.setdefault(bucket, who.account)
        return super().forward()

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = forward

    def who(self):
        """The identity that has signed the request."""
        return self.server.accounts.get(access_key(self.headers))

    def denial(self, operation, bucket, key, query):
        """Why the request is denied, if it is."""
        expected = self.headers.get("x-amz-expected-bucket-owner")
        if expected and expected != self.server.owners.get(bucket, expected):
            return "Access Denied"
        permission = "s3:GetObjectTagging" if "tagging" in query else PERMISSIONS.get(operation)
        denial = self.denied_by_policy(permission, bucket, key)
        if not denial and "x-amz-copy-source" in self.headers:
            source = unquote(self.headers["x-amz-copy-source"]).lstrip("/").partition("?")[0]
            denial = self.denied_by_policy("s3:GetObject", *source.partition("/")[::2])
        return denial

    def denied_by_policy(self, permission, bucket, key):
        """What S3 says if the policy of the bucket denies the request, or does not allow one of another account."""
        who, owner = self.who(), self.server.owners.get(bucket)
        if owner is None or who is None or permission is None:
            return None
        resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
        statements = self.server.policies.get(bucket, ())
        effects = {one["Effect"] for one in statements if fits(one, who, permission, resource)}
        user = f"User: arn:aws:iam::{who.account}:user/{who.name}"
        said = f'{user} is not authorized to perform: {permission} on resource: "{resource}"'
        if "Deny" in effects:
            return f"{said} with an explicit deny in a resource-based policy"
        if who.account != owner and "Allow" not in effects:
            return f"{said} because no resource-based policy allows the {permission} action"
        return None

    def deny(self, message):
        """Answers that the request is denied."""
        body = f"<Error><Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>".encode()
        self.answer_with(403, b"" if self.command == "HEAD" else body)

    def answer_with(self, status, body):
        """Answers in place of SeaweedFS. The connection ends: the body of the request may not have been read."""
        self.close_connection = True
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def fits(statement, who, permission, resource):
    """Whether a statement is about a request."""
    principals = statement["Principal"] if isinstance(statement["Principal"], str) else statement["Principal"]["AWS"]
    about = principals == "*" or f"arn:aws:iam::{who.account}:root" in listed(principals)
    return (
        about
        and any(fnmatchcase(permission, action) for action in listed(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
    )


def listed(value):
    """A list, also of what a policy gives as one text."""
    return value if isinstance(value, list) else [value]
