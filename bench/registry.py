"""A model registry and STS that answer at once: each workload has a package that refers to its prefix."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.workloads import BUCKET
from standins.churn import IMAGE
from standins.principals import REGION, SOURCE_ACCOUNT

CALLER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{account}:user/{name}</Arn><UserId>{name}</UserId><Account>{account}</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""


def package_arn(workload):
    """The version whose artifacts are the workload."""
    return f"arn:aws:sagemaker:{REGION}:{SOURCE_ACCOUNT}:model-package/{workload.slug}/1"


def inference(slug):
    """An inference specification that refers to the whole prefix of a workload."""
    source = {"S3Uri": f"s3://{BUCKET}/{slug}/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    return {
        "Containers": [{"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


@contextmanager
def model_registry(principals):
    """Runs while the block runs, and yields its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    server.callers = {principal.access_key: principal.identity for principal in principals}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    """SageMaker's DescribeModelPackage and STS's GetCallerIdentity."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Both are POSTs; only SageMaker names its action in a header."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "X-Amz-Target" in self.headers:
            self.reply("application/x-amz-json-1.1", json.dumps(described(json.loads(body)["ModelPackageName"])))
        else:
            key = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
            caller = self.server.callers[key]
            self.reply("text/xml", CALLER.format(account=caller.account, name=caller.name))

    def reply(self, content_type, text):
        """Head and body in one write, so that neither waits for the other."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(text.encode())}\r\n\r\n"
        self.wfile.write((head + text).encode())

    def log_message(self, *_):
        """Silent."""


def described(arn):
    """The description of a version; all that matters is in its name."""
    slug = arn.split("/")[-2]
    return {
        "ModelPackageArn": arn,
        "ModelPackageGroupName": slug,
        "ModelPackageVersion": 1,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ModelApprovalStatus": "Approved",
        "CreationTime": 1790000000.0,
        "InferenceSpecification": inference(slug),
    }
